//! Holding what was seen against what was written.

use super::parse::{Script, Step};
use super::player::Played;

/// What differs, readable, with the place of each step; `None` if it went as written.
pub fn compare(script: &Script, played: &Played) -> Option<String> {
    let mut report: Vec<String> = played.failures.iter().map(ToString::to_string).collect();
    for (step, seen) in script.steps.iter().zip(&played.seen) {
        if step.expected != *seen {
            report.push(difference(script, step, seen));
        }
    }
    (!report.is_empty()).then(|| report.join("\n"))
}

/// The script's text with what was seen in the place of what was expected.
pub fn update(script: &Script, played: &Played) -> String {
    let mut text = String::new();
    let mut push = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    let mut next = 0;
    for (step, seen) in script.steps.iter().zip(&played.seen) {
        script.lines.iter().take(step.place.start).skip(next).for_each(|line| push(line));
        seen.iter().for_each(|line| push(&format!("  {line}")));
        next = step.place.end;
    }
    script.lines.iter().skip(next).for_each(|line| push(line));
    text
}

fn difference(script: &Script, step: &Step, seen: &[String]) -> String {
    let mut lines = vec![format!("{}:{}: {}", script.file, step.line, script.written(step))];
    lines.extend(diff(&step.expected, seen));
    lines.join("\n")
}

/// Lines that both have, that only the first has (`-`), that only the second has (`+`).
fn diff(expected: &[String], seen: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let (mut left, mut right) = (expected, seen);
    while let (Some((a, left_rest)), Some((b, right_rest))) = (left.split_first(), right.split_first()) {
        if a == b {
            out.push(format!("    {a}"));
            (left, right) = (left_rest, right_rest);
        } else if common(left_rest, right) >= common(left, right_rest) {
            out.push(format!("  - {a}"));
            left = left_rest;
        } else {
            out.push(format!("  + {b}"));
            right = right_rest;
        }
    }
    out.extend(left.iter().map(|line| format!("  - {line}")));
    out.extend(right.iter().map(|line| format!("  + {line}")));
    out
}

/// The length of the longest common subsequence.
fn common(left: &[String], right: &[String]) -> usize {
    let mut row = vec![0_usize; right.len() + 1];
    for a in left {
        let mut diagonal = 0;
        let mut before = 0;
        for (b, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            *cell = if a == b { diagonal + 1 } else { above.max(before) };
            diagonal = above;
            before = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_difference_is_readable_and_an_update_takes_it_over() {
        let text = "# Title\nana> one\n  a\n  b\n\n# more\nana> two\n= no violations\n";
        let script = Script::parse("x.chat", text).unwrap();
        let right = Played { seen: vec![lines("a\nb"), vec![], vec![]], failures: vec![], secrets: vec![], pages: vec![] };
        assert_eq!(compare(&script, &right), None);
        assert_eq!(update(&script, &right), text);
        let wrong = Played { seen: vec![lines("a\nc\nb"), lines("d\n  e"), vec![]], failures: vec![], secrets: vec![], pages: vec![] };
        let said = compare(&script, &wrong).unwrap();
        assert_eq!(said, "x.chat:2: ana> one\n    a\n  + c\n    b\nx.chat:7: ana> two\n  + d\n  +   e");
        let updated = update(&script, &wrong);
        assert_eq!(updated, "# Title\nana> one\n  a\n  c\n  b\n\n# more\nana> two\n  d\n    e\n= no violations\n");
        assert_eq!(compare(&Script::parse("x.chat", &updated).unwrap(), &wrong), None);
    }
}
