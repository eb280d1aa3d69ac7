//! State-change notices: what SuperOffice posts to an app when a tenant's state changes.

use std::io;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::claims::{self, Claims};
use super::mint::{Draft, Mint, draft, object, set};

/// What happened to a tenant, with SuperOffice's numbers (`superid.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantChange {
    Upgrade = 0,
    BackupRestored = 1,
    Suspend = 2,
    Resume = 3,
    Delete = 4,
    Move = 5,
}

/// A notice before it is sent: its token and its members, each open to change.
#[derive(Clone)]
pub struct Notice {
    token: Draft,
    members: Claims,
}

impl Mint {
    /// A state-change notice about this tenant, as SuperOffice would send it now. `None` where
    /// there is no such tenant.
    pub fn notice(&self, ctx: &str, change: TenantChange) -> Option<Notice> {
        let world = &*self.world;
        let tenancy = world.tenancies.find(ctx)?;
        let mut members: Claims = vec![
            ("ChangeType".into(), json!(change as u8)),
            ("ContextIdentifier".into(), json!(tenancy.tenant.ctx)),
            ("VersionName".into(), json!("Release_10.3.8_2024.08.30-01")),
            ("FileVersion".into(), json!("10.3.8.2024")),
            ("Token".into(), Value::Null),
        ];
        if change == TenantChange::Move {
            let home = &world.hosts[tenancy.situation().home];
            let host = home.split_once("://").map_or(home.as_str(), |(_, host)| host);
            members.push(("PublicEndpoint".into(), json!(host)));
        }
        let token = draft(world, claims::notice(world, &tenancy.tenant));
        Some(Notice { token, members })
    }
}

impl Notice {
    /// Changes the token before it is signed.
    pub fn token(mut self, change: impl FnOnce(Draft) -> Draft) -> Self {
        self.token = change(self.token);
        self
    }

    /// Sets a member of the body, in its place where it is there already. A `Token` set so is
    /// sent as it is.
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.members, name, value.into());
        self
    }

    pub fn without_member(mut self, name: &str) -> Self {
        self.members.retain(|(known, _)| known != name);
        self
    }

    /// The body, with the token signed.
    pub fn to_json(&self) -> String {
        let mut members = self.members.clone();
        for (name, value) in &mut members {
            if name == "Token" && value.is_null() {
                *value = self.token.sign().into();
            }
        }
        object(&members)
    }

    /// Posts the notice to an `http://` address, and gives the status of the answer.
    ///
    /// # Errors
    /// When the address is not one, or nobody answers there.
    pub async fn post(&self, to: &str) -> io::Result<StatusCode> {
        post(to, self.to_json()).await
    }
}

async fn post(to: &str, body: String) -> io::Result<StatusCode> {
    let request = Request::post(to)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let client: Client<HttpConnector, _> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.map_err(io::Error::other)?;
    let status = response.status();
    // Read to its end, so that the other side sees a caller who listens.
    response.into_body().collect().await.map_err(io::Error::other)?;
    Ok(status)
}
