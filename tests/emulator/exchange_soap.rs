//! The exchange by SOAP 1.1.

use http::Method;

use crate::browser::{Browser, Page};
use crate::partner::{CTX, MINUTE, claims, scene, signed};
use crate::scene::{ID, SECRET, Scene, own};

const SERVICE: &str = "/Login/services/PartnerSystemUserService.svc";
const ACTION: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1/\
                      IPartnerSystemUserService/Authenticate";

#[tokio::test]
async fn an_envelope_buys_the_same_as_rest() {
    let scene = scene().await;
    let page = post(&scene, ACTION, &envelope(&scene, SECRET, "Jwt")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.header("content-type").starts_with("text/xml"));
    assert!(page.body.contains("<IsSuccessful>true</IsSuccessful>"), "{}", page.body);
    assert!(page.body.contains("<ErrorMessage i:nil=\"true\"/>"));
    let token = page.body.split_once("<Token>").unwrap().1.split_once("</Token>").unwrap().0;
    let (_, by_soap) = scene.verified(token).await.unwrap();
    let by_rest = claims(&scene, CTX).await;
    for name in ["ctx", "serial", "webapi_url"] {
        assert_eq!(own(&by_soap, name), own(&by_rest, name));
    }
    assert_eq!(scene.emulator.exchanges().granted(ID, CTX), 2);
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_not_a_fault() {
    let scene = scene().await;
    for (secret, kind, words) in [("wrong", "Jwt", "Denied (4)"), (SECRET, "Saml", "no SAML")] {
        let page = post(&scene, ACTION, &envelope(&scene, secret, kind)).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("<IsSuccessful>false</IsSuccessful><Token i:nil=\"true\"/>"));
        assert!(page.body.contains(words), "{}", page.body);
    }
}

#[tokio::test]
async fn what_is_no_request_is_a_fault() {
    let scene = scene().await;
    let good = envelope(&scene, SECRET, "Jwt");
    let soap12 =
        good.replace("schemas.xmlsoap.org/soap/envelope/", "www.w3.org/2003/05/soap-envelope");
    for (action, body) in
        [("", good.as_str()), (ACTION, "<x"), (ACTION, &soap12), (ACTION, "<!DOCTYPE x><x/>")]
    {
        let page = post(&scene, action, body).await;
        assert_eq!(page.status, 500, "{body}");
        assert!(page.body.contains("<faultcode"), "{}", page.body);
    }
}

async fn post(scene: &Scene, action: &str, body: &str) -> Page {
    let quoted = format!("\"{action}\"");
    let headers = [("content-type", "text/xml;charset=UTF-8"), ("soapaction", quoted.as_str())];
    Browser::new().send(Method::POST, &scene.url(SERVICE), &headers, body.into()).await
}

/// Written the way the published Node.js sample does, with a prefix for everything.
fn envelope(scene: &Scene, secret: &str, kind: &str) -> String {
    let token = scene.emulator.tenants().system_token(ID, CTX).unwrap();
    let signed = signed(&token, MINUTE).replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:tns=\"http://www.superoffice.com/superid/partnersystemuser/0.1\">\n\
         <soap:Header><tns:ApplicationToken>{secret}</tns:ApplicationToken>\
         <tns:ContextIdentifier>{CTX}</tns:ContextIdentifier></soap:Header>\n\
         <soap:Body><tns:AuthenticationRequest><tns:SignedSystemToken>{signed}\
         </tns:SignedSystemToken><tns:ReturnTokenType>{kind}</tns:ReturnTokenType>\
         </tns:AuthenticationRequest></soap:Body></soap:Envelope>"
    )
}
