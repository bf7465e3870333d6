//! Sections that are made from the registries of fields, kinds and limits.

use super::Section;
use crate::kind;
use crate::model::{Field, Resource};

/// Fields, with their type before the meaning.
pub(super) fn fields<'f>(section: Section, fields: impl IntoIterator<Item = &'f Field>) -> Section {
    let row = |f: &Field| (format!("`{}`", f.name), format!("({}) {}", f.ty.word(), f.help));
    section.table(24, fields.into_iter().map(row))
}

/// The fields that kinds own, under the names of the kinds that have them.
pub(super) fn own_fields(section: Section) -> Section {
    let mut seen: Vec<&str> = Vec::new();
    kind::ALL.iter().filter(|k| !k.fields.is_empty()).fold(section, |section, kind| {
        if seen.contains(&kind.object) {
            return section;
        }
        seen.push(kind.object);
        let owners = kind::ALL.iter().filter(|k| k.object == kind.object);
        let names: Vec<&str> = owners.map(|k| k.name).collect();
        fields(section.heading(format!("Of {}", names.join(", "))), kind.fields.iter().chain(kind.details))
    })
}

/// The kinds, each with the groups that it belongs to.
pub(super) fn kinds(section: Section) -> Section {
    let row = |kind: &&kind::Kind| {
        let groups: Vec<String> = kind.groups.iter().map(|g| format!("`{g}`")).collect();
        let groups = if groups.is_empty() { String::new() } else { format!(" ({})", groups.join(", ")) };
        (format!("`{}`", kind.name), format!("{}{groups}", kind.help))
    };
    section.table(14, kind::ALL.iter().map(row))
}

/// The limits of `getrlimit(2)`.
pub(super) fn limits(section: Section) -> Section {
    let row = |l: &Resource| (format!("`{}`", l.name), format!("({}) {}", l.unit.word(), l.help));
    section.table(12, Resource::ALL.iter().map(row))
}
