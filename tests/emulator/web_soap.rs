//! A tenant's SOAP services take their credentials from the envelope.

use http::Method;

use crate::browser::{Browser, Page};
use crate::partner::{CTX, OTHER_CTX, SECOND_SECRET, scene, ticket};
use crate::scene::{SECRET, Scene};

#[tokio::test]
async fn a_call_with_both_elements_succeeds() {
    let scene = scene().await;
    let page = post(&scene, SECRET, &ticket(&scene, CTX).await, &[]).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<h:Succeeded>true</h:Succeeded>"), "{}", page.body);
    assert!(page.body.contains(
        "<GetContactResponse xmlns=\"http://www.superoffice.net/ws/crm/NetServer/Services88\">"
    ));
    assert!(page.body.contains("<Context>Cust12345</Context>"));
    assert_eq!(scene.emulator.tenants().calls(CTX), 1);
}

#[tokio::test]
async fn without_them_it_does_not_succeed_and_says_why() {
    let scene = scene().await;
    let ticket = ticket(&scene, CTX).await;
    let outside = format!("SOTicket {ticket}");
    let beside = [("authorization", outside.as_str()), ("so-apptoken", SECRET)];
    for (app_token, inside, words) in [
        ("", ticket.as_str(), "no ApplicationToken"),
        (SECRET, "", "no valid credential"),
        (SECRET, "7T:dead", "no valid credential"),
        ("wrong", &ticket, "an unknown app token"),
    ] {
        let page = post(&scene, app_token, inside, &beside).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("<h:Succeeded>false</h:Succeeded>"), "{}", page.body);
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert_eq!(scene.emulator.violations().count(), 0);
}

#[tokio::test]
async fn credentials_of_others_are_violations_in_the_envelope_too() {
    let scene = scene().await;
    let ours = ticket(&scene, CTX).await;
    let theirs = ticket(&scene, OTHER_CTX).await;
    let outside = format!("SOTicket {theirs}");
    let beside = [("authorization", outside.as_str()), ("so-apptoken", SECRET)];
    assert_eq!(post(&scene, SECRET, &theirs, &[]).await.status, 401);
    assert_eq!(post(&scene, SECOND_SECRET, &ours, &[]).await.status, 401);
    assert_eq!(post(&scene, SECRET, &ours, &beside).await.status, 401);
    assert_eq!(scene.emulator.violations().count(), 3);
}

async fn post(scene: &Scene, app_token: &str, ticket: &str, more: &[(&str, &str)]) -> Page {
    let body = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:n=\"http://www.superoffice.net/ws/crm/NetServer/Services88\"><s:Header>\
         <n:ApplicationToken>{app_token}</n:ApplicationToken><n:Credentials><n:Ticket>{ticket}\
         </n:Ticket></n:Credentials></s:Header><s:Body><n:GetContact><n:ContactId>1</n:ContactId>\
         </n:GetContact></s:Body></s:Envelope>"
    );
    let root = scene.emulator.tenants().root(CTX).unwrap();
    let url = format!("{root}/remote/Services88/Contact.svc");
    Browser::new().send(Method::POST, &url, more, body).await
}
