//! What is known beforehand about a server's built-in functions, catalogs and settings: reviewed lists, each entry of an
//! exception with its reason. What is in no list is refused, so that a new server version adds nothing unseen.

/// How a relation of the server's own catalogs appears to restricted roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemView {
    /// As it is.
    Open,
    /// Some columns replaced by SQL, some rows left out.
    Replaced {
        /// Column name and the expression in its place.
        columns: Vec<(&'static str, &'static str)>,
        /// SQL over the relation's columns.
        filter: Option<&'static str>,
    },
    /// Not at all, and why.
    Refused(&'static str),
}

/// What may be done with a built-in function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltinRule {
    /// It only computes.
    Allowed,
    /// Allowed with a literal first argument that names a harmless setting (`current_setting`).
    SettingName,
    /// Refused, and why.
    Refused(&'static str),
    /// In no list.
    Unknown,
}
