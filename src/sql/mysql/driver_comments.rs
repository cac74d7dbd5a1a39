//! Executable comments that clients are known to send.
//!
//! `/*!NNNNN … */` is text to some servers and a comment to others. A number of five digits below 50700 makes it text
//! to every supported server of both families. Only the texts listed here are taken at all.

/// The texts, in upper case with single spaces.
const TEXTS: [&str; 12] = [
    "FULL",
    "GLOBAL",
    "SQL_NO_CACHE",
    "SET NAMES UTF8",
    "SET NAMES UTF8MB3",
    "SET NAMES UTF8MB4",
    "SET CHARACTER_SET_CLIENT = UTF8",
    "SET CHARACTER_SET_CLIENT = UTF8MB4",
    "SET CHARACTER_SET_CONNECTION = UTF8",
    "SET CHARACTER_SET_CONNECTION = UTF8MB4",
    "SET CHARACTER_SET_RESULTS = UTF8",
    "SET CHARACTER_SET_RESULTS = UTF8MB4",
];

/// The length of what stands before the text of a comment that all servers execute; `None` for every other comment.
pub fn executed_by_all(comment: &str) -> Option<usize> {
    let rest = comment.strip_prefix("/*!")?;
    let version = rest.get(..5).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let body = rest.get(5..)?;
    if version >= "50700" || !body.starts_with([' ', '\t', '\n']) {
        return None;
    }
    let words: Vec<&str> = body.strip_suffix("*/")?.split_ascii_whitespace().collect();
    let text = words.join(" ").to_ascii_uppercase();
    TEXTS.contains(&text.as_str()).then_some(comment.len() - body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_texts_of_old_versions_are_executed() {
        assert_eq!(executed_by_all("/*!40101 SET NAMES utf8 */"), Some(8));
        assert_eq!(executed_by_all("/*!50002 full*/"), Some(8));
        for comment in [
            "/*!40101SET NAMES utf8 */",
            "/*!99999 SET NAMES utf8 */",
            "/*!50700 SET NAMES utf8 */",
            "/*!401011 SET NAMES utf8 */",
            "/*! SET NAMES utf8 */",
            "/*M!40101 SET NAMES utf8 */",
            "/*!40101 SET NAMES gbk */",
            "/*!40101 , (SELECT email FROM users) */",
            "/*!*/",
        ] {
            assert_eq!(executed_by_all(comment), None, "{comment}");
        }
    }
}
