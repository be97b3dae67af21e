//! Charts as SVG, made of numbers and dates alone. Each is called what its heading on the page says; beside it, the page
//! has a table that says the same.

use super::count::HOURS;
use super::{Column, LanguagesOverTime};
use std::fmt::Write as _;

/// A column's width with the gap beside it, and the height of the highest one.
const COLUMN_WIDTH: usize = 10;
const HEIGHT: u32 = 120;

/// The side of the square for an hour.
const HOUR_SIDE: usize = 20;

/// Columns, the first at the left.
pub fn columns(columns: &[Column]) -> String {
    let highest = columns.iter().map(|column| column.commits).max().unwrap_or(0).max(1);
    let width = columns.len().max(1) * COLUMN_WIDTH;
    let mut svg = format!(
        "<svg class=\"chart chart-columns\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"columns-title\">"
    );
    for (index, column) in columns.iter().enumerate() {
        let Column { from, commits } = column;
        // What is little is seen all the same.
        let height = u64::from(*commits) * u64::from(HEIGHT) / u64::from(highest);
        let height = (height as u32).max(u32::from(*commits > 0));
        let (x, y) = (index * COLUMN_WIDTH, HEIGHT - height);
        write!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{height}\"><title>{from}: {commits}</title></rect>",
            COLUMN_WIDTH - 2
        )
        .expect("a string takes it");
    }
    svg.push_str("</svg>");
    svg
}

/// Columns of languages, one on the other, the oldest at the left.
pub fn languages(languages: &LanguagesOverTime) -> String {
    let points = &languages.points;
    let highest = points.iter().map(|point| point.bytes.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let width = points.len().max(1) * COLUMN_WIDTH;
    let mut svg = format!(
        "<svg class=\"chart chart-languages\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"languages-title\">"
    );
    let height =
        |bytes: u64| (u128::from(bytes) * u128::from(HEIGHT) * 100 / u128::from(highest)) as f64 / 100.0;
    for (index, point) in points.iter().enumerate() {
        let mut below = 0;
        for (number, bytes) in point.bytes.iter().enumerate().filter(|(_, bytes)| **bytes > 0) {
            let (from, to) = (height(below), height(below + bytes));
            below += bytes;
            let (x, y, class) = (index * COLUMN_WIDTH, f64::from(HEIGHT) - to, number + 1);
            write!(
                svg,
                "<rect class=\"language-{class}\" x=\"{x}\" y=\"{y:.2}\" width=\"{}\" height=\"{:.2}\"/>",
                COLUMN_WIDTH - 1,
                to - from
            )
            .expect("a string takes it");
        }
    }
    svg.push_str("</svg>");
    svg
}

/// A dot for each hour of the week, Monday at the top; its area says how many commits there were.
pub fn punch_card(hours: &[u32]) -> String {
    let highest = hours.iter().copied().max().unwrap_or(0).max(1);
    let (width, height) = (24 * HOUR_SIDE, HOURS / 24 * HOUR_SIDE);
    let mut svg = format!(
        "<svg class=\"chart chart-hours\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"hours-title\">"
    );
    for (index, commits) in hours.iter().enumerate().filter(|(_, commits)| **commits > 0) {
        let (x, y) = (index % 24 * HOUR_SIDE + HOUR_SIDE / 2, index / 24 * HOUR_SIDE + HOUR_SIDE / 2);
        let radius = (f64::from(*commits) / f64::from(highest)).sqrt() * (HOUR_SIDE as f64 / 2.0 - 0.5);
        write!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{:.1}\"/>", radius.max(1.0))
            .expect("a string takes it");
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::super::LanguagesAt;
    use super::*;
    use lithe_web::Text;

    #[test]
    fn the_highest_column_fills_the_chart_and_one_commit_is_seen() {
        let column = |commits| Column { from: "2025-06-09".into(), commits };
        let svg = columns(&[column(1), column(0), column(1_000_000)]);
        assert!(svg.contains("x=\"0\" y=\"119\" width=\"8\" height=\"1\""), "{svg}");
        assert!(svg.contains("x=\"10\" y=\"120\" width=\"8\" height=\"0\""), "{svg}");
        assert!(svg.contains("x=\"20\" y=\"0\" width=\"8\" height=\"120\""), "{svg}");
        assert!(columns(&[]).contains("viewBox=\"0 0 10 120\""));
        assert!(columns(&[column(u32::MAX)]).contains("height=\"120\""));
    }

    #[test]
    fn languages_stand_one_on_the_other() {
        let at =
            |bytes: &[u64]| LanguagesAt { date: String::new(), href: String::new(), bytes: bytes.to_vec() };
        let svg = languages(&LanguagesOverTime {
            names: ["C", "Rust"].map(Text::verbatim).to_vec(),
            points: vec![at(&[25, 0]), at(&[50, 50])],
        });
        for rect in [
            "<rect class=\"language-1\" x=\"0\" y=\"90.00\" width=\"9\" height=\"30.00\"/>",
            "<rect class=\"language-1\" x=\"10\" y=\"60.00\" width=\"9\" height=\"60.00\"/>",
            "<rect class=\"language-2\" x=\"10\" y=\"0.00\" width=\"9\" height=\"60.00\"/>",
        ] {
            assert!(svg.contains(rect), "{rect}: {svg}");
        }
        assert_eq!(svg.matches("<rect").count(), 3);
        let most = LanguagesOverTime { names: vec![Text::verbatim("C")], points: vec![at(&[u64::MAX])] };
        assert!(languages(&most).contains("height=\"120.00\""));
    }

    #[test]
    fn hours_without_commits_have_no_dot() {
        let mut hours = [0; HOURS];
        (hours[0], hours[HOURS - 1]) = (4, 1);
        let svg = punch_card(&hours);
        assert!(svg.contains("<circle cx=\"10\" cy=\"10\" r=\"9.5\"/>"), "{svg}");
        assert!(svg.contains("<circle cx=\"470\" cy=\"130\" r=\"4.8\"/>"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
    }
}
