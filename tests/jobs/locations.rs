//! Where a tenant's answers lead, in the gateway's own addresses.

use std::convert::Infallible;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use superid_gateway::emulator::{Fault, StateLie};
use tokio::net::TcpListener;

use crate::world::{World, nightly};

/// A tenant's host whose answers lead where the request's `SO-Language` says.
async fn pointing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let serving =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            tokio::spawn(serving);
        }
    });
    origin
}

async fn answer(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let to = request.headers()["so-language"].clone();
    let answer = Response::builder().status(201).header("location", to);
    Ok(answer.body(Empty::new()).unwrap())
}

#[tokio::test]
async fn where_a_tenant_leads_to_its_own_web_services_the_job_comes_back_to_us() {
    let tenant = pointing().await;
    let world = World::with(&format!("[environment.emulator]\naddresses = [{tenant:?}]")).await;
    let lie = StateLie::Elsewhere { origin: tenant.clone() };
    world.superid.faults().set(Fault::StateLie { ctx: None, lie });
    let program = world.program();
    let port = tenant.rsplit(':').next().unwrap();
    for (led, expected) in [
        (format!("{tenant}/Cust12345/api/v1/Contact/7?a=b"), "/Cust12345/api/v1/Contact/7?a=b"),
        (format!("{tenant}/Cust12345/Remote/S/C.svc"), "/Cust12345/Remote/S/C.svc"),
        (format!("//127.0.0.1:{port}/cust12345/API/v1/A"), "/Cust12345/api/v1/A"),
        ("/Cust12345/api/v1/Contact/7".to_owned(), "/Cust12345/api/v1/Contact/7"),
        ("7".to_owned(), "/Cust12345/api/v1/7"),
        ("/login".to_owned(), &*format!("{tenant}/login")),
        ("/Cust67890/api/v1/A".to_owned(), &*format!("{tenant}/Cust67890/api/v1/A")),
        ("https://other.example/x".to_owned(), "https://other.example/x"),
    ] {
        let headers = [("authorization", &*nightly()), ("so-language", &*led)];
        let answer = program.get("/cust12345/api/v1/Contact", &headers).await;
        assert_eq!(answer.status, 201, "{led}");
        assert_eq!(answer.headers["location"], expected, "{led}");
    }
}
