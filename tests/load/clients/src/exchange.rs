use std::future::pending;
use std::io::Result;
use std::pin::pin;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::request::Request;
use crate::response::{Response, ResponseReader};
use crate::tally::Upload;

/// Sends a request and reads its response, which may arrive before the body is sent.
///
/// Also returns whether the whole request was sent.
pub async fn exchange(
    connection: &mut TcpStream,
    request: &Request,
    read_rate: Option<f64>,
    upload: &Upload<'_>,
) -> (Result<Response>, bool) {
    let (mut reader, mut writer) = connection.split();
    let (continues, may_continue) = oneshot::channel();
    let mut receiving = pin!(ResponseReader::new(&mut reader, read_rate).read(Some(continues)));
    let mut sending = pin!(send(&mut writer, request, may_continue, upload));
    select! {
        biased;
        // After a failure to send, there may still be a response.
        sent = &mut sending => {
            let complete = sent.is_ok();
            (receiving.await, complete)
        }
        response = &mut receiving => (response, false),
    }
}

async fn send(
    writer: &mut (impl AsyncWrite + Unpin),
    request: &Request,
    may_continue: oneshot::Receiver<()>,
    upload: &Upload<'_>,
) -> Result<()> {
    let Request { head, body, .. } = request;
    let length = head.len() + body.len() - request.withheld;
    let fits_one_write = body.len() <= Request::PART && !request.expects_continue;
    if fits_one_write {
        let mut whole = Vec::with_capacity(length);
        whole.extend_from_slice(head);
        whole.extend_from_slice(body);
        writer.write_all(&whole[..length]).await?;
        upload.sent(body.len().saturating_sub(request.withheld));
    } else {
        writer.write_all(head).await?;
        if request.expects_continue && may_continue.await.is_err() {
            // The response is final.
            return pending().await;
        }
        let mut rest = &body[..length - head.len()];
        let mut due = Instant::now();
        while !rest.is_empty() {
            let part = rest.len().min(Request::PART);
            let start = Instant::now();
            let written = writer.write(&rest[..part]).await?;
            // Time in which the service accepts nothing is not made up for.
            due += start.elapsed();
            upload.sent(written);
            rest = &rest[written..];
            if let Some(pause) = request.pause {
                due += pause.mul_f64(written as f64 / Request::PART as f64);
                sleep_until(due).await;
            }
        }
    }
    if request.withheld > 0 {
        return pending().await;
    }
    Ok(())
}
