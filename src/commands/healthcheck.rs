use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};

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
                .redirect(Policy::none())
                .timeout(TIMEOUT)
                .build()?;
            let answer = client.get(&url).send().await?;
            if answer.status() != StatusCode::OK {
                return Err(format!("{url} answered {}", answer.status()).into());
            }
            if !is_ours(answer).await? {
                return Err(format!("what answers at {url} is another service").into());
            }
            Ok(())
        })
}

/// Whether this is what our service answers, of which the beginning suffices.
async fn is_ours(mut answer: Response) -> reqwest::Result<bool> {
    let beginning = answer.chunk().await?.unwrap_or_default();
    let name = concat!("\"service\":\"", env!("CARGO_PKG_NAME"), "\"");
    Ok(beginning
        .windows(name.len())
        .any(|window| window == name.as_bytes()))
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
