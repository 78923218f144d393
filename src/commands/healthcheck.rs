use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};

use super::error::CommandError;
use crate::config;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Checks the liveness of the service that runs with the same settings.
pub(super) fn run() -> Result<(), CommandError> {
    let url = format!(
        "http://{}/health",
        reachable(config::read_address(config::variable)?)
    );
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            #[expect(clippy::disallowed_methods, reason = "it has a timeout")]
            let client = reqwest::Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .timeout(TIMEOUT)
                .build()?;
            let response = client.get(&url).send().await?;
            if response.status() != StatusCode::OK {
                return Err(format!("{url} returned {}", response.status()).into());
            }
            if !is_ours(response).await? {
                return Err(format!("another service is listening at {url}").into());
            }
            Ok(())
        })
}

/// Checks that the response names this service; its first chunk suffices.
async fn is_ours(mut response: Response) -> reqwest::Result<bool> {
    let start = response.chunk().await?.unwrap_or_default();
    let name = concat!("\"service\":\"", env!("CARGO_PKG_NAME"), "\"");
    Ok(start
        .windows(name.len())
        .any(|window| window == name.as_bytes()))
}

/// Returns the address at which a service that listens on `address` is reachable
/// from this host.
fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, address.port())
}
