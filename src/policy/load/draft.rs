//! What the files say, before names are looked up.

use std::sync::Arc;

use super::Surroundings;
use super::alert::{self, AlertDraft};
use super::filter::{self, FilterDraft};
use super::firewall::{self, BlockDraft, LearnDraft};
use super::limit::{self, LimitDraft};
use super::mask::{self, NamedMask};
use super::protect::{self, ProtectDraft, TagDraft};
use super::role::{self, RoleDraft};
use super::test_case::{self, TestDraft};
use super::trust::{self, TrustDraft};
use crate::policy::diagnostics::Located;
use crate::policy::model::RuleInfo;
use crate::policy::reader::{Table, Value};

/// Everything that rule files hold, in file order.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) roles: Vec<RoleDraft>,
    pub(super) tags: Vec<TagDraft>,
    pub(super) masks: Vec<NamedMask>,
    pub(super) protects: Vec<ProtectDraft>,
    pub(super) filters: Vec<FilterDraft>,
    pub(super) trusts: Vec<TrustDraft>,
    pub(super) limits: Vec<LimitDraft>,
    pub(super) blocks: Vec<BlockDraft>,
    pub(super) learns: Vec<LearnDraft>,
    pub(super) alerts: Vec<AlertDraft>,
    pub(super) tests: Vec<TestDraft>,
}

/// What every rule carries.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) name: Located<Arc<str>>,
    pub(super) info: Arc<RuleInfo>,
}

impl Header {
    /// Reads `name`, `owner` and `note`.
    pub(super) fn read(table: &Table<'_>) -> Option<Self> {
        let name = table.required("name", Value::name);
        let owner = table.optional("owner", Value::text);
        let note = table.optional("note", Value::text);
        let name = name?;
        let info = Arc::new(RuleInfo { name: Arc::clone(&name.value), owner, note });
        Some(Self { name, info })
    }
}

impl Draft {
    /// Adds what one file says.
    pub(super) fn read(&mut self, file: &Table<'_>, surroundings: &Surroundings) {
        if let Some(roles) = file.get("role") {
            self.roles.extend(
                roles.names("tables such as `[role.viewer]`", |name, value| role::read(&name, value, surroundings)),
            );
        }
        if let Some(tags) = file.get("tag") {
            self.tags.extend(tags.names("tables such as `[tag.\"pii.email\"]`", |name, value| {
                protect::read_tag(name, value, surroundings)
            }));
        }
        if let Some(masks) = file.get("mask") {
            self.masks.extend(masks.names("tables such as `[mask.mine]`", mask::read_named));
        }
        self.protects.extend(rules(file.get("protect"), |value| protect::read(value, surroundings)));
        self.filters.extend(rules(file.get("filter"), |value| filter::read(value, surroundings)));
        self.trusts.extend(rules(file.get("trust"), |value| trust::read(value, surroundings)));
        self.limits.extend(rules(file.get("limit"), |value| limit::read(value, surroundings)));
        self.blocks.extend(rules(file.get("block"), |value| firewall::read_block(value, surroundings)));
        self.learns.extend(rules(file.get("learn"), firewall::read_learn));
        self.alerts.extend(rules(file.get("alert"), |value| alert::read(value, surroundings)));
        self.tests.extend(rules(file.get("test"), |value| test_case::read(value, surroundings)));
    }
}

/// The tables under a `[[key]]`.
fn rules<'a, T>(value: Option<Value<'a>>, read: impl FnMut(Value<'a>) -> Option<T>) -> Vec<T> {
    value.map(|value| value.array("written as `[[…]]`", read)).unwrap_or_default()
}
