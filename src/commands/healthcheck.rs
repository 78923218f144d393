use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::Failure;
use crate::config;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the service that runs with the same settings whether it lives.
pub(super) fn run() -> Result<(), Failure> {
    let url = format!(
        "http://{}/health",
        reachable(config::read_address(config::variable)?)
    );
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            #[expect(clippy::disallowed_methods, reason = "it has a timeout of its own")]
            let client = reqwest::Client::builder()
                .no_proxy()
                .timeout(TIMEOUT)
                .build()?;
            let answer = client.get(&url).send().await?;
            answer.error_for_status()?;
            Ok(())
        })
}

/// Where a service that listens on `address` can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, address.port())
}
