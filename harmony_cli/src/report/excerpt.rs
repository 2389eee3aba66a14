//! The lines of the site program that an error speaks of, as far as they can be read here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use harmony::Origin;
use harmony_io::Io;

use super::layout::{Layout, push, visible};
use crate::paint::Hue;

/// Where the sources of the program are looked for.
#[derive(Clone)]
pub(crate) struct Sources {
    io: Io,
    /// The compiler names a file from the root of its workspace, and the program may be run anywhere below that.
    roots: Vec<PathBuf>,
    /// A file that was changed after the program was built has other lines than the program speaks of.
    built: Option<SystemTime>,
}

impl Sources {
    /// Those around the directory in which the process runs.
    pub(crate) fn of_process(io: Io) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let program = std::env::current_exe().ok();
        let built = program.and_then(|program| io.find_status(&program).ok().flatten()).map(|status| status.changed);
        Self { roots: here.ancestors().map(Path::to_owned).collect(), io, built }
    }

    /// None is found.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        Self { io: Io::real(), roots: Vec::new(), built: None }
    }

    /// The line that an origin names, without the spaces around it.
    fn line(&self, origin: &Origin) -> Option<String> {
        let index = usize::try_from(origin.line).ok()?.checked_sub(1)?;
        let path = self.roots.iter().map(|root| root.join(&origin.file)).find(|path| self.is_as_built(path))?;
        let text = self.io.find_file(&path).ok()??;
        let line = String::from_utf8_lossy(&text).lines().nth(index).map(|line| line.trim().to_owned())?;
        (!line.is_empty()).then_some(line)
    }

    fn is_as_built(&self, path: &Path) -> bool {
        let Ok(Some(status)) = self.io.find_status(path) else { return false };
        self.built.is_none_or(|built| status.changed <= built)
    }
}

/// Shows lines of the program, each of them once.
pub(crate) struct Excerpts<'a> {
    sources: &'a Sources,
    shown: BTreeSet<Origin>,
}

impl<'a> Excerpts<'a> {
    pub(crate) fn from(sources: &'a Sources) -> Self {
        Self { sources, shown: BTreeSet::new() }
    }

    /// Adds where it is said, and the line itself, underlined, if it can be read; nothing if it has been shown already.
    pub(super) fn show(&mut self, page: &mut String, origin: &Origin, layout: &Layout) {
        if !origin.file.is_empty() && !self.shown.contains(origin) {
            let arrow = layout.text(Hue::Unsure, "-->");
            push(page, &format!("  {}{arrow} {}:{}", margin(origin), visible(&origin.file), origin.line));
            self.show_line(page, origin, layout);
        }
    }

    /// Adds only the line, for where it has just been said where it is.
    pub(super) fn show_line(&mut self, page: &mut String, origin: &Origin, layout: &Layout) {
        if !self.shown.insert(origin.clone()) {
            return;
        }
        let Some(line) = self.sources.line(origin) else { return };
        let (number, margin) = (origin.line, margin(origin));
        let line = layout.fit(&visible(&line), margin.len() + 5);
        let dim = |text: &str| layout.text(Hue::Unsure, text);
        push(page, &format!("  {margin} {}", dim("|")));
        push(page, &format!("  {} {line}", dim(&format!("{number} |"))));
        push(page, &format!("  {margin} {} {}", dim("|"), layout.text(Hue::Loud, &"^".repeat(line.chars().count()))));
    }
}

/// As wide as the number of the line.
fn margin(origin: &Origin) -> String {
    " ".repeat(origin.line.to_string().len())
}
