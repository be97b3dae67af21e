//! Tables whose lines are drawn: around the cells, or above and below the columns.

use super::blocks::{Parser, paragraph_len};
use super::directive::Directive;
use super::lines::{is_simple_border, is_wide, outdented, trimmed};
use super::tree::{Block, Cell, Table};
use crate::limits::{TABLE_CELLS_MAX, TABLE_COLUMNS_MAX};
use std::collections::BTreeSet;

/// The most steps taken to find cells, over all tables of a text. A real table takes about as many as it has
/// characters.
const STEPS_MAX: usize = 4 << 20;

/// What stands for the second column of a wide character.
const WIDE: char = '\u{0}';

/// The characters of some lines, one for each column.
fn characters(lines: &[&str]) -> Vec<Vec<char>> {
    let of_line = |line: &&str| {
        let columns = line.chars().flat_map(|c| [Some(c), is_wide(c).then_some(WIDE)]);
        columns.flatten().collect()
    };
    lines.iter().map(of_line).collect()
}

fn text(characters: &[char]) -> String {
    let text: String = characters.iter().filter(|character| **character != WIDE).collect();
    text.trim_end().to_owned()
}

impl Parser {
    /// Reads the blocks of a cell whose lines are those.
    pub(super) fn cell(&mut self, lines: &[String], depth: usize) -> Vec<Block> {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let lines = outdented(trimmed(&lines));
        self.blocks(&lines, depth + 1)
    }

    /// A table with lines around its cells; it is shown as it is typed if they do not meet.
    pub(super) fn grid_table(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let length = lines.iter().take_while(|line| line.starts_with(['+', '|'])).count().max(1);
        let typed = &lines[..length];
        match self.grid(typed, depth) {
            Some(table) => blocks.push(Block::Table(table)),
            None => blocks.push(Block::Typed(typed.join("\n"))),
        }
        length
    }

    fn grid(&mut self, lines: &[&str], depth: usize) -> Option<Table> {
        let mut grid = characters(lines);
        let is_head = |line: &[char]| {
            line.len() > 2 && line.starts_with(&['+', '=']) && line.iter().all(|c| matches!(c, '+' | '='))
        };
        let head_end = grid.iter().position(|line| is_head(line));
        if let Some(at) = head_end {
            grid[at].iter_mut().filter(|character| **character == '=').for_each(|character| *character = '-');
        }
        let cells = Grid { lines: &grid, steps: &mut self.table_steps }.cells()?;
        let tops: BTreeSet<usize> = cells.iter().map(|cell| cell.top).collect();
        let lefts: BTreeSet<usize> = cells.iter().map(|cell| cell.left).collect();
        if lefts.len() > TABLE_COLUMNS_MAX || cells.len() > TABLE_CELLS_MAX {
            return None;
        }
        let mut rows: Vec<Vec<(usize, Cell)>> = tops.iter().map(|_| Vec::new()).collect();
        for found in cells {
            let inner =
                grid[found.top + 1..found.bottom].iter().map(|line| text(&line[found.left + 1..found.right]));
            let blocks = self.cell(&inner.collect::<Vec<_>>(), depth);
            let cell = Cell {
                more_columns: lefts.range(found.left + 1..found.right).count(),
                more_rows: tops.range(found.top + 1..found.bottom).count(),
                blocks,
            };
            rows[tops.range(..found.top).count()].push((found.left, cell));
        }
        let head = head_end.map_or(0, |end| tops.range(..end).count());
        let in_order = |mut row: Vec<(usize, Cell)>| {
            row.sort_by_key(|(left, _)| *left);
            row.into_iter().map(|(_, cell)| cell).collect()
        };
        Some(Table { head, rows: rows.into_iter().map(in_order).collect(), ..Table::default() })
    }

    /// A table with lines above and below its columns; it is shown as it is typed if it does not end.
    pub(super) fn simple_table(&mut self, lines: &[&str], depth: usize, blocks: &mut Vec<Block>) -> usize {
        let mut borders = vec![0];
        let borders_after = lines.iter().enumerate().skip(1).filter(|(_, line)| is_simple_border(line));
        for (at, _) in borders_after.take(2) {
            borders.push(at);
            if lines.get(at + 1).is_none_or(|next| next.is_empty()) {
                break;
            }
        }
        let end = *borders.last().unwrap_or(&0);
        let table = (borders.len() > 1).then(|| self.simple(&lines[..=end], &borders, depth)).flatten();
        match table {
            Some(table) => {
                blocks.push(Block::Table(table));
                end + 1
            }
            None => {
                let length = paragraph_len(lines);
                blocks.push(Block::Typed(lines[..length].join("\n")));
                length
            }
        }
    }

    fn simple(&mut self, lines: &[&str], borders: &[usize], depth: usize) -> Option<Table> {
        let columns = spans(lines[0]);
        if columns.len() > TABLE_COLUMNS_MAX || columns.len() * lines.len() > TABLE_CELLS_MAX {
            return None;
        }
        let mut table = Table::default();
        let body = borders.len() == 3;
        for part in borders.windows(2) {
            let mut row: Vec<&str> = Vec::new();
            for line in &lines[part[0] + 1..part[1]] {
                let is_span = !line.is_empty() && line.bytes().all(|byte| matches!(byte, b'-' | b' '));
                if is_span && line.starts_with('-') {
                    self.simple_row(&std::mem::take(&mut row), &columns, &spans(line), depth, &mut table);
                    continue;
                }
                let first = characters(&[line]).remove(0);
                let begins = !text(first.get(..columns[0].1).unwrap_or(&first)).trim().is_empty();
                if begins {
                    self.simple_row(&std::mem::take(&mut row), &columns, &columns, depth, &mut table);
                }
                if begins || !row.is_empty() {
                    row.push(line);
                }
            }
            self.simple_row(&row, &columns, &columns, depth, &mut table);
            if body && part[0] == 0 {
                table.head = table.rows.len();
            }
        }
        Some(table)
    }

    /// A row of some lines, its cells where `spans` are.
    fn simple_row(
        &mut self,
        lines: &[&str],
        columns: &[(usize, usize)],
        spans: &[(usize, usize)],
        depth: usize,
        table: &mut Table,
    ) {
        if lines.is_empty() {
            return;
        }
        let lines = characters(lines);
        let mut row = Vec::new();
        for (at, (begin, end)) in spans.iter().enumerate() {
            // Texts may reach beyond the last column.
            let end = if at + 1 == spans.len() { usize::MAX } else { *end };
            let inner =
                lines.iter().map(|line| text(line.get(*begin..end.min(line.len())).unwrap_or_default()));
            let blocks = self.cell(&inner.collect::<Vec<_>>(), depth);
            let within = columns.iter().filter(|column| column.0 >= *begin && column.0 < end).count();
            row.push(Cell { more_columns: within.saturating_sub(1), more_rows: 0, blocks });
        }
        table.rows.push(row);
    }

    /// A table below its title.
    pub(super) fn titled_table(&mut self, directive: &Directive, depth: usize, blocks: &mut Vec<Block>) {
        let mut inner = self.blocks(&directive.contents, depth + 1);
        let title = directive.argument();
        match inner
            .iter_mut()
            .find_map(|block| if let Block::Table(table) = block { Some(table) } else { None })
        {
            Some(table) => table.title = title,
            None => inner.insert(0, Block::Rubric(title)),
        }
        blocks.append(&mut inner);
    }
}

/// Where the columns of a line of strokes begin and end.
fn spans(line: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut at = 0;
    for part in line.split(' ') {
        if !part.is_empty() {
            spans.push((at, at + part.len()));
        }
        at += part.len() + 1;
    }
    spans
}

/// Where the corners of a cell are.
struct Found {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

/// Finds the cells of a table, each from its upper left corner on.
struct Grid<'a> {
    lines: &'a [Vec<char>],
    steps: &'a mut usize,
}

impl Grid<'_> {
    fn cells(&mut self) -> Option<Vec<Found>> {
        let (bottom, right) = (self.lines.len() - 1, self.lines[0].len() - 1);
        if bottom < 2 || self.lines.iter().any(|line| line.len() != right + 1) || self.lines[bottom][0] != '+'
        {
            return None;
        }
        // How far down each column is taken.
        let mut done = vec![0; right];
        let mut cells = Vec::new();
        let mut corners = BTreeSet::from([(0, 0)]);
        while let Some((top, left)) = corners.pop_first() {
            if top == bottom || left == right || done[left] > top {
                continue;
            }
            let Some(cell) = self.cell(top, left)? else { continue };
            if done[left..cell.right].iter().any(|taken| *taken != top) {
                return None;
            }
            done[left..cell.right].fill(cell.bottom);
            *self.steps += cell.right - left;
            corners.extend([(top, cell.right), (cell.bottom, left)]);
            cells.push(cell);
        }
        done.iter().all(|taken| *taken == bottom).then_some(cells)
    }

    /// The cell whose upper left corner is there; `None` outside if that takes too long.
    fn cell(&mut self, top: usize, left: usize) -> Option<Option<Found>> {
        for right in left + 1..self.lines[top].len() {
            self.step()?;
            match self.lines[top][right] {
                '+' => {}
                '-' => continue,
                _ => break,
            }
            for bottom in top + 1..self.lines.len() {
                self.step()?;
                match self.lines[bottom][right] {
                    '+' => {}
                    '|' => continue,
                    _ => break,
                }
                *self.steps += right - left + bottom - top;
                let is_closed = self.lines[bottom][left] == '+'
                    && self.lines[bottom][left + 1..right].iter().all(|c| matches!(c, '-' | '+'))
                    && self.lines[top + 1..bottom].iter().all(|line| matches!(line[left], '|' | '+'));
                if is_closed {
                    return Some(Some(Found { top, left, bottom, right }));
                }
            }
        }
        Some(None)
    }

    fn step(&mut self) -> Option<()> {
        *self.steps += 1;
        (*self.steps <= STEPS_MAX).then_some(())
    }
}
