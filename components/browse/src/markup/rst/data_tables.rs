//! Tables that directives make of separated values and of lists.

use super::blocks::Parser;
use super::directive::Directive;
use super::tree::{Block, Cell, Table};
use crate::limits::{TABLE_CELLS_MAX, TABLE_COLUMNS_MAX};
use crate::markup::table::Reader;

impl Parser {
    /// A table of separated values; none if they are too many.
    pub(super) fn csv_table(&mut self, directive: &Directive, depth: usize) -> Option<Block> {
        let separator = match directive.option("delim").unwrap_or(",") {
            "tab" | "\\t" => '\t',
            "space" => ' ',
            other => other.chars().next()?,
        };
        let header = directive.option("header").unwrap_or_default().to_owned();
        let text = directive.contents.join("\n");
        let mut rows = Vec::new();
        let mut head = directive.number("header-rows").unwrap_or_default();
        for (part, text) in [header, text].iter().enumerate() {
            let mut reader = Reader::of_directive(text, separator);
            while let Some(values) = reader.row() {
                if values.len() > TABLE_COLUMNS_MAX || rows.len() * TABLE_COLUMNS_MAX > TABLE_CELLS_MAX * 10 {
                    return None;
                }
                let cell = |value: &String| {
                    let lines: Vec<String> = value.lines().map(str::to_owned).collect();
                    Cell { blocks: self.cell(&lines, depth), ..Cell::default() }
                };
                rows.push(values.iter().map(cell).collect());
                head += usize::from(part == 0);
            }
        }
        Some(Block::Table(self.of_directive(directive, head, rows)))
    }

    /// A table whose rows are the items of a list, their cells the items of lists within; none if there is no such list.
    pub(super) fn list_table(&mut self, directive: &Directive, depth: usize) -> Option<Block> {
        let mut blocks = self.blocks(&directive.contents, depth + 1);
        let rows = blocks.iter().position(|block| matches!(block, Block::Bullets(_)))?;
        let Block::Bullets(rows) = blocks.swap_remove(rows) else { return None };
        let row = |item: Vec<Block>| {
            let cells = item.into_iter().find_map(|block| match block {
                Block::Bullets(cells) => Some(cells),
                _ => None,
            });
            let cell = |blocks| Cell { blocks, ..Cell::default() };
            cells.map(|cells| cells.into_iter().map(cell).collect::<Vec<_>>())
        };
        let rows = rows.into_iter().map(row).collect::<Option<Vec<_>>>()?;
        let head = directive.number("header-rows").unwrap_or_default();
        Some(Block::Table(self.of_directive(directive, head, rows)))
    }

    fn of_directive(&self, directive: &Directive, head: usize, rows: Vec<Vec<Cell>>) -> Table {
        let stub = directive.number("stub-columns").unwrap_or_default();
        Table { title: directive.argument(), head: head.min(rows.len()), stub, rows }
    }
}
