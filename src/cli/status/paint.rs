//! Colours, where there is somebody to see them.

use std::env;
use std::io::IsTerminal;

/// Whether what is printed may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Coloured,
    Plain,
}

/// What a word means to whoever reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Bad,
    Faint,
    Good,
    Heading,
    Warning,
}

impl Paint {
    /// Colours for a terminal that can show them, unless `NO_COLOR` has a value (no-color.org).
    pub(super) fn for_stdout() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        match std::io::stdout().is_terminal() && !unwanted && !dumb {
            true => Self::Coloured,
            false => Self::Plain,
        }
    }

    /// The text in its tone. Widths are to be settled before: what is added takes none.
    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        let code = match (self, tone) {
            (Self::Plain, _) => return text.to_owned(),
            (Self::Coloured, Tone::Bad) => "31",
            (Self::Coloured, Tone::Faint) => "2",
            (Self::Coloured, Tone::Good) => "32",
            (Self::Coloured, Tone::Heading) => "1",
            (Self::Coloured, Tone::Warning) => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
