//! What the scopes of the grammars mean to a reader: they name hundreds, a style sheet knows a few kinds.

use crate::Kind;
use std::collections::HashMap;
use std::sync::OnceLock;
use syntect::parsing::{Scope, ScopeStack};

/// What a scope is: the longest prefix wins; `Plain` takes the colour away that an outer scope would give.
const KIND_BY_SCOPE: &[(&str, Kind)] = &[
    ("comment", Kind::Comment),
    ("punctuation.definition.comment", Kind::Comment),
    ("string", Kind::Text),
    ("punctuation.definition.string", Kind::Text),
    ("constant.character.escape", Kind::Constant),
    ("constant.numeric", Kind::Number),
    ("constant", Kind::Constant),
    ("keyword", Kind::Keyword),
    ("keyword.operator", Kind::Operator),
    ("keyword.operator.word", Kind::Keyword),
    ("storage", Kind::Keyword),
    ("entity.name.type", Kind::TypeName),
    ("entity.name.class", Kind::TypeName),
    ("entity.name.struct", Kind::TypeName),
    ("entity.name.enum", Kind::TypeName),
    ("entity.name.union", Kind::TypeName),
    ("entity.name.trait", Kind::TypeName),
    ("entity.name.impl", Kind::TypeName),
    ("entity.name.interface", Kind::TypeName),
    ("entity.name.namespace", Kind::TypeName),
    ("entity.other.inherited-class", Kind::TypeName),
    ("support.type", Kind::TypeName),
    ("support.class", Kind::TypeName),
    ("storage.type.primitive", Kind::TypeName),
    ("storage.type.numeric", Kind::Number),
    ("entity.name.function", Kind::FunctionName),
    ("entity.name.macro", Kind::FunctionName),
    ("support.function", Kind::FunctionName),
    ("support.macro", Kind::FunctionName),
    ("variable.function", Kind::FunctionName),
    ("variable.annotation", Kind::Attribute),
    ("variable", Kind::Variable),
    ("variable.language", Kind::Constant),
    ("punctuation", Kind::Punctuation),
    ("entity.other.attribute-name", Kind::Attribute),
    ("meta.annotation", Kind::Attribute),
    ("support.type.property-name", Kind::Attribute),
    ("entity.name.tag", Kind::Tag),
    ("markup.inserted", Kind::Inserted),
    ("markup.deleted", Kind::Deleted),
    ("markup.heading", Kind::Heading),
    ("entity.name.section", Kind::Heading),
    ("markup.underline.link", Kind::Link),
    ("source", Kind::Plain),
    ("text", Kind::Plain),
    ("meta.interpolation", Kind::Plain),
    ("meta.template.expression", Kind::Plain),
];

/// The kinds of scopes, remembered: a text has few scopes and many words.
#[derive(Default)]
pub struct Kinds {
    by_scope: HashMap<Scope, Option<Kind>>,
}

impl Kinds {
    /// The kind of the innermost scope that has one.
    pub fn of(&mut self, scopes: &ScopeStack) -> Kind {
        let scopes = scopes.as_slice();
        scopes
            .iter()
            .rev()
            .find_map(|scope| *self.by_scope.entry(*scope).or_insert_with(|| kind_of(*scope)))
            .unwrap_or(Kind::Plain)
    }
}

fn kind_of(scope: Scope) -> Option<Kind> {
    static PREFIXES: OnceLock<Vec<(Scope, Kind)>> = OnceLock::new();
    let prefixes = PREFIXES.get_or_init(|| {
        let scope = |name| Scope::new(name).expect("the table's names are short");
        KIND_BY_SCOPE.iter().map(|(name, kind)| (scope(name), *kind)).collect()
    });
    let matching = prefixes.iter().filter(|(prefix, _)| prefix.is_prefix_of(scope));
    matching.max_by_key(|(prefix, _)| prefix.len()).map(|(_, kind)| *kind)
}
