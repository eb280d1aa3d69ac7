//! A look at an app's server that speaks HTTP/2.

use std::io;

use http::{HeaderValue, Request, header};

use super::super::cord::Cord;
use super::links::speak;

/// The status of its answer to GET, on a connection of its own.
///
/// # Errors
/// When there is none.
pub(in crate::gateway) async fn look(cord: Cord, address: &str, agent: &str) -> io::Result<u16> {
    let mut request = Request::get(address).body(()).map_err(io::Error::other)?;
    let agent = HeaderValue::from_str(agent).map_err(io::Error::other)?;
    request.headers_mut().insert(header::USER_AGENT, agent);
    let (sender, connection) =
        speak(cord).await.map_err(|error| io::Error::other(error.to_string()))?;
    let asked = async {
        let mut sender = sender.ready().await?;
        let (answer, _no_body) = sender.send_request(request, true)?;
        Ok::<_, h2::Error>(answer.await?.status().as_u16())
    };
    tokio::select! {
        status = asked => status.map_err(io::Error::other),
        ended = connection => Err(ended.err().map_or(io::ErrorKind::BrokenPipe.into(), io::Error::other)),
    }
}
