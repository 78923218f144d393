//! The command `import`.

mod args;
mod print;
mod run;

pub(super) use self::args::Import;
pub(super) use self::run::run;
