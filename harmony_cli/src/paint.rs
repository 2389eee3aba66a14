//! Colour, where it is wanted.

use crate::arguments::ColorWhen;
use crate::console::Tty;
use crate::variables::Variables;

/// Paints text for a terminal, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Colored,
    Plain,
}

/// What a text is painted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hue {
    Good,
    Changed,
    Bad,
    Loud,
    Unsure,
    Dim,
    Bold,
}

impl Paint {
    /// The flag decides, then `NO_COLOR`, `CLICOLOR_FORCE` and `TERM=dumb`, then whether it is a terminal.
    pub(crate) fn choose(when: ColorWhen, variables: &Variables, stream: Tty) -> Self {
        let colored = match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto if variables.find("NO_COLOR").is_some() => false,
            ColorWhen::Auto if variables.find("CLICOLOR_FORCE").is_some_and(|force| force != "0") => true,
            ColorWhen::Auto if variables.find("TERM").is_some_and(|term| term == "dumb") => false,
            ColorWhen::Auto => stream == Tty::Terminal,
        };
        if colored { Self::Colored } else { Self::Plain }
    }

    pub(crate) fn text(self, hue: Hue, text: &str) -> String {
        let code = match (self, hue) {
            (Self::Plain, _) => return text.to_owned(),
            _ if text.is_empty() => return String::new(),
            (_, Hue::Good) => "32",
            (_, Hue::Changed) => "33",
            (_, Hue::Bad) => "31",
            (_, Hue::Loud) => "1;31",
            (_, Hue::Unsure) => "36",
            (_, Hue::Dim) => "2",
            (_, Hue::Bold) => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn chosen(when: ColorWhen, variables: &[(&str, &str)], stream: Tty) -> Paint {
        let given: BTreeMap<_, _> = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Paint::choose(when, &Variables::Given(given), stream)
    }

    #[test]
    fn colour_follows_the_flag_then_the_variables_then_the_terminal() {
        use ColorWhen::{Always, Auto, Never};
        assert_eq!(chosen(Auto, &[], Tty::Terminal), Paint::Colored);
        assert_eq!(chosen(Auto, &[], Tty::Pipe), Paint::Plain);
        assert_eq!(chosen(Always, &[("NO_COLOR", "1")], Tty::Pipe), Paint::Colored);
        assert_eq!(chosen(Never, &[("CLICOLOR_FORCE", "1")], Tty::Terminal), Paint::Plain);
        assert_eq!(chosen(Auto, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Tty::Terminal), Paint::Plain);
        assert_eq!(chosen(Auto, &[("NO_COLOR", "")], Tty::Terminal), Paint::Colored);
        assert_eq!(chosen(Auto, &[("CLICOLOR_FORCE", "1")], Tty::Pipe), Paint::Colored);
        assert_eq!(chosen(Auto, &[("CLICOLOR_FORCE", "0")], Tty::Pipe), Paint::Plain);
        assert_eq!(chosen(Auto, &[("TERM", "dumb")], Tty::Terminal), Paint::Plain);
    }
}
