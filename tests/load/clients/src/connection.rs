use std::io::Result;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::specification::Class;

/// Buffer of a slow client. Large ones would hide from both sides that it is slow.
const SLOW_BUFFER_BYTES: u32 = 16 * 1024;

/// Opens connection `number` of a class.
pub async fn connect(class: &Class, address: SocketAddr, number: usize) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let client = number % class.addresses;
    let [third, fourth] = [client / 250, client % 250 + 1].map(|part| u8::try_from(part).unwrap());
    socket.bind(SocketAddr::new(
        IpAddr::V4(Ipv4Addr::new(127, 1, third, fourth)),
        0,
    ))?;
    if class.send_rate.is_some() {
        socket.set_send_buffer_size(SLOW_BUFFER_BYTES)?;
    }
    if class.read_rate.is_some() {
        socket.set_recv_buffer_size(SLOW_BUFFER_BYTES)?;
    }
    if let Some(segment) = class.segment {
        SockRef::from(&socket).set_tcp_mss(segment)?;
    }
    let connection = socket.connect(address).await?;
    connection.set_nodelay(true)?;
    Ok(connection)
}
