//! What somebody may have meant.

/// How many names are suggested.
const MOST: usize = 3;

/// The names of which a form is near what was written, nearest first. `forms` are all ways to write each name.
pub(crate) fn nearest(written: &str, forms: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let allowed = 1 + written.chars().count() / 8;
    let written = written.to_lowercase();
    let mut near: Vec<(usize, String)> = forms.map(|(form, name)| (distance(&written, &form.to_lowercase()), name)).collect();
    near.retain(|(distance, _)| *distance <= allowed);
    near.sort();
    let mut names: Vec<String> = Vec::new();
    for (_, name) in near {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST);
    names
}

/// How many letters have to be put in, left out or changed, at least (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().collect();
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (length, letter) in other.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], length + 1);
        for at in 1..=one.len() {
            let changed = diagonal + usize::from(one[at - 1] != letter);
            diagonal = row[at];
            row[at] = changed.min(row[at] + 1).min(row[at - 1] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(written: &str) -> Vec<String> {
        let forms =
            [("rotate a/agent", "rotate a/agent"), ("rotate agent", "rotate a/agent"), ("rotate a/auditor", "rotate a/auditor")];
        nearest(written, forms.map(|(form, name)| (form.to_owned(), name.to_owned())).into_iter())
    }

    #[test]
    fn a_typing_error_is_near_in_any_form() {
        assert_eq!(near("rotate a/agnet"), ["rotate a/agent"]);
        assert_eq!(near("rotat AGENT"), ["rotate a/agent"]);
        assert_eq!(near("rotate a/auditr"), ["rotate a/auditor"]);
    }

    #[test]
    fn something_else_is_not() {
        assert!(near("failover").is_empty());
        assert!(near("rotate x").is_empty());
    }

    #[test]
    fn a_distance_counts_letters() {
        for (one, other, expected) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!((distance(one, other), distance(other, one)), (expected, expected), "{one} {other}");
        }
    }
}
