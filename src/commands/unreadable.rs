use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;

use super::error::CommandError;
use crate::app;
use crate::config::{self, StoreCommandConfig};
use crate::domain::{DataTypes, ListQuery, Order, PageSize, TimeRange, UserId};
use crate::telemetry::Telemetry;

/// Search for stored readings that cannot be decoded.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Prints one line per reading: its data_id, a tab, and the reason, without any \
stored value. The store is that of `serve`, with the same settings; an embedded \
store must not be in use. All of the user's readings are read.

Exit code: 0 if all of them can be decoded; 1 if any cannot, or if the search \
failed.")]
pub(super) struct Unreadable {
    /// User whose readings to check.
    user_id: UserId,
}

pub(super) fn run(arguments: &Unreadable) -> Result<ExitCode, CommandError> {
    let config = StoreCommandConfig::read(config::variable)?;
    Telemetry::start(&config.telemetry)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(print_unreadable(arguments, &config))
}

async fn print_unreadable(
    arguments: &Unreadable,
    config: &StoreCommandConfig,
) -> Result<ExitCode, CommandError> {
    let store = app::open_store(&config.store, config.environment).await?;
    let mut query = ListQuery {
        user_id: arguments.user_id.clone(),
        data_types: DataTypes::default(),
        range: TimeRange::default(),
        order: Order::Asc,
        after: None,
        limit: PageSize::MAX,
    };
    let mut code = ExitCode::SUCCESS;
    let mut output = io::stdout();
    loop {
        let page = store.list(&query).await?;
        for unreadable in page.unreadable {
            writeln!(output, "{}\t{}", unreadable.id, unreadable.reason)?;
            code = ExitCode::FAILURE;
        }
        query.after = page.next;
        if page.next.is_none() {
            return Ok(code);
        }
    }
}
