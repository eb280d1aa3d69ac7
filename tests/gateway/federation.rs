//! People who come by WS-Federation, and what keeps others out.

use superid_gateway::emulator::{AnswerLie, EntraToken, Fault, SamlHash};

use crate::federation_scene::{CLAIMS, Posting, REALM, Scene, answer, between, pick, posting};
use crate::jar::Way;
use crate::world::{ASTRID, NOW, SIOBHAN};

#[tokio::test]
async fn a_person_signs_in_by_a_token_of_either_version_once() {
    for token in [EntraToken::Saml20, EntraToken::Saml11] {
        let scene = Scene::new(token).await;
        let world = &scene.world;
        let mut browser = world.browser();
        let redirect = browser.visit(&world.url("/orders/7")).await;
        let asked = |name: &str| redirect.parameter(name).unwrap_or_default();
        assert_eq!((asked("wa"), asked("wtrealm")), ("wsignin1.0".to_owned(), REALM.to_owned()));
        assert_eq!(asked("wreply"), world.url("/auth/callback"));
        assert_eq!(
            (asked("wct"), asked("whr")),
            ("2023-11-14T22:13:20Z".to_owned(), "nordlys.example".to_owned())
        );
        let page = browser.step(&redirect).await;
        let form = posting(&pick(&mut browser, &page, ASTRID).await);
        let handed = form.post(&mut browser).await;
        assert_eq!(handed.location(), world.url("/auth/finish"), "{handed:?}");
        assert!(!handed.signs_in(), "the POST makes no session");
        let landed = browser.step(&handed).await;
        assert_eq!(landed.location(), world.url("/orders/7"), "{landed:?}");
        assert!(landed.signs_in());
        assert_eq!(browser.step(&landed).await.status, 200);
        let request = world.app.last();
        assert_eq!(request.header("X-SuperOffice-Context"), Some("Cust12345"));
        let user = request.header("X-SuperOffice-User").unwrap().to_owned();
        assert!(user.starts_with(&format!("{}#", scene.issuer(&scene.directory))), "{user}");
        assert_eq!(request.header("X-SuperOffice-First-Name"), Some("Astrid"));
        assert_eq!(request.header("X-SuperOffice-Email"), None, "nobody has verified it");
        assert_eq!(request.header("Authorization"), None);
        // The same token, in the same browser and in another one.
        for mut again in [browser, world.browser()] {
            let answer = form.post(&mut again).await;
            answer.is_page(400);
            assert!(!answer.signs_in());
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_right_in_every_point_lets_nobody_in() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let world = &scene.world;
    let now = i64::try_from(NOW).unwrap();
    let claim = |name: &str| format!("{CLAIMS}/{name}");
    let draft = || scene.draft();
    let other = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    let good = draft().sign();
    let applies = |to: &str| {
        let address = format!(
            "<p:AppliesTo xmlns:p=\"http://schemas.xmlsoap.org/ws/2004/09/policy\"><a:EndpointReference \
             xmlns:a=\"http://www.w3.org/2005/08/addressing\"><a:Address>{to}</a:Address>\
             </a:EndpointReference></p:AppliesTo><t:RequestedSecurityToken>"
        );
        answer(&draft().sign()).replace("<t:RequestedSecurityToken>", &address)
    };
    let fault = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault>\
                 <s:Code/></s:Fault></s:Body></s:Envelope>";
    let encrypted = answer("<e:EncryptedData xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\"/>");
    let cases = [
        ("another realm", answer(&draft().audience(Some("https://other.example/")).sign())),
        ("no audience", answer(&draft().audience(None).sign())),
        ("for another answer", applies("https://other.example/")),
        ("another directory's issuer", answer(&draft().issuer(&scene.issuer(other)).sign())),
        ("another directory", answer(&draft().attribute(&claim("tenantid"), other).sign())),
        ("two directories", answer(&draft().duplicate_attribute(&claim("tenantid"), other).sign())),
        ("no directory", answer(&draft().without_attribute(&claim("tenantid")).sign())),
        ("no such issuer", answer(&draft().issuer("SuperOffice AS").sign())),
        (
            "a path for a directory",
            answer(
                &draft().attribute(&claim("tenantid"), "../x").issuer(&scene.issuer("../x")).sign(),
            ),
        ),
        ("nobody", answer(&draft().without_attribute(&claim("objectidentifier")).sign())),
        (
            "two people",
            answer(&draft().duplicate_attribute(&claim("objectidentifier"), "b").sign()),
        ),
        ("expired", answer(&draft().good_between(now - 600, now - 61).sign())),
        ("not yet", answer(&draft().good_between(now + 61, now + 300).sign())),
        ("for ever", answer(&draft().good_between(now, now + 100_000_000).sign())),
        ("for elsewhere", answer(&draft().recipient("https://evil.example/auth/callback").sign())),
        ("SHA-1", answer(&draft().hashed_with(SamlHash::Sha1).sign())),
        ("a stranger's key", answer(&draft().by_stranger(world.superid.keys()).sign())),
        ("unsigned", answer(&draft().unsigned())),
        ("changed", answer(&good.replace("an-object", "another-object"))),
        ("two tokens", answer(&format!("{0}{0}", good.split_once("?>").unwrap().1))),
        ("no answer around it", good.clone()),
        ("with a DOCTYPE", format!("<!DOCTYPE a>{}", answer(&good))),
        ("deep", "<a>".repeat(10_000)),
        ("a bomb", format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><a>&b;</a>", "b".repeat(9_000))),
        ("nothing", String::new()),
        ("a fault", fault.to_owned()),
        ("encrypted", encrypted),
    ];
    for (what, wresult) in cases {
        let mut browser = world.browser();
        let posted = scene.arrive_with(&mut browser, wresult).await.post(&mut browser).await;
        assert!((400..=502).contains(&posted.status), "{what}: {posted:?}");
        assert!(!posted.signs_in(), "{what}");
        match what {
            "a fault" => assert_eq!(posted.status, 502),
            "encrypted" => assert_eq!(posted.status, 500),
            "expired" | "not yet" => assert!(posted.body.contains("clock"), "{}", posted.body),
            _ => {}
        }
        browser.visit(&world.url("/auth/finish")).await.is_page(400);
    }
    world.app.heard_nothing();
    for wresult in [answer(&good), applies(REALM)] {
        let mut browser = world.browser();
        let posted = scene.arrive_with(&mut browser, wresult).await.post(&mut browser).await;
        assert_eq!(browser.arrive(posted).await.status, 200);
    }
}

#[tokio::test]
async fn what_the_provider_itself_gets_wrong_lets_nobody_in() {
    let missing = |field: &str| AnswerLie::Missing { field: field.into() };
    let beside =
        |name: &str, value: &str| AnswerLie::Beside { name: name.into(), value: value.into() };
    let faults = [
        ("state", AnswerLie::WrongState),
        ("twice", AnswerLie::Twice { field: "wresult".into() }),
        ("error", beside("error", "access_denied")),
        ("elsewhere", beside("wresultptr", "https://evil.example/token")),
        ("no directory", AnswerLie::NoClaim { claim: "tenantid".into() }),
        ("wrong directory", AnswerLie::WrongClaim { claim: "tenantid".into() }),
        ("nobody", AnswerLie::NoClaim { claim: "objectidentifier".into() }),
        ("begun there", missing("wctx")),
        ("no action", missing("wa")),
        ("no token", missing("wresult")),
    ];
    let scene = Scene::new(EntraToken::Saml11).await;
    let world = &scene.world;
    let mut settings: Vec<_> =
        faults.into_iter().map(|(what, lie)| (what, Fault::AnswerLie { lie })).collect();
    settings.push(("key", Fault::WrongKey));
    settings.push(("clock", Fault::ClockSkew { seconds: -7_200 }));
    for (what, fault) in settings {
        world.superid.faults().set(fault);
        let mut browser = world.browser();
        let page = browser.open(&world.url("/orders/7")).await;
        let form = pick(&mut browser, &page, ASTRID).await;
        world.superid.faults().clear();
        let fields: Vec<(String, String)> = form
            .body
            .match_indices("name=\"")
            .map(|(at, _)| between(&form.body[at..], "name=\"", "\"").to_owned())
            .filter_map(|name| Some((name.clone(), form.field(&name)?)))
            .collect();
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert!(!fields.is_empty(), "{what}");
        let posted = browser.submit(&form.url, &form.action().unwrap(), &fields).await;
        assert!((400..=500).contains(&posted.status), "{what}: {posted:?}");
        assert!(!posted.signs_in(), "{what}");
        browser.visit(&world.url("/auth/finish")).await.is_page(400);
    }
    world.app.heard_nothing();
}

#[tokio::test]
async fn whom_no_rule_names_is_not_let_in() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let mut browser = scene.world.browser();
    let posted = scene.arrive(&mut browser, SIOBHAN).await.post(&mut browser).await;
    posted.is_page(403);
    assert!(posted.body.contains("You are not let in here"), "{}", posted.body);
    scene.world.app.heard_nothing();
}

#[tokio::test]
async fn a_token_signs_in_the_browser_that_began_and_no_other() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let world = &scene.world;
    let attackers = scene.arrive(&mut world.browser(), ASTRID).await;
    let mut victim = world.browser();
    victim.visit(&world.url("/orders/7")).await;
    let handed = attackers.post(&mut victim).await;
    let finished = victim.step(&handed).await;
    assert!(!finished.signs_in(), "{finished:?}");
    assert!(finished.location().starts_with(world.superid.url()), "on to its own sign-in");
    let stranger = Scene::arrive(&scene, &mut world.browser(), ASTRID).await;
    let mut without_cookies = world.browser();
    let handed = stranger.post(&mut without_cookies).await;
    without_cookies.step(&handed).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn forms_of_other_pages_and_what_is_too_large_or_too_late_are_refused() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let world = &scene.world;
    let mut browser = world.browser();
    let form = scene.arrive(&mut browser, ASTRID).await;
    let foreign = Posting { page: "https://evil.example/".to_owned(), ..form.clone() };
    assert_eq!(foreign.post(&mut browser).await.status, 403);
    let huge = Posting { wresult: "<".repeat(70_000), ..form.clone() };
    huge.post(&mut browser).await.is_page(400);
    world.turn_clock(3_000);
    form.post(&mut browser).await.is_page(400);
    world.app.heard_nothing();
}

#[tokio::test]
async fn signing_out_leads_to_the_provider_and_back() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let world = &scene.world;
    let mut browser = world.browser();
    let posted = scene.arrive(&mut browser, ASTRID).await.post(&mut browser).await;
    browser.arrive(posted).await;
    let out = browser.visit(&world.url("/auth/sign_out")).await;
    assert_eq!(out.parameter("wa").as_deref(), Some("wsignout1.0"));
    let back = world.url("/auth/signed_out");
    assert_eq!(out.parameter("wreply").as_deref(), Some(back.as_str()));
    let page = browser.step(&out).await;
    assert!(page.body.contains(&format!("<a href=\"{back}\">")), "{}", page.body);
    let cleanup = format!("{}?wa=wsignoutcleanup1.0", world.url("/auth/callback"));
    assert!(page.body.contains(&cleanup), "{}", page.body);
    world.app.clear();
    browser.visit(&world.url("/orders/7")).await.location();
    world.app.heard_nothing();
}

#[tokio::test]
async fn the_provider_ends_the_session_it_made_and_no_other() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let world = &scene.world;
    let mut browser = world.browser();
    let posted = scene.arrive(&mut browser, ASTRID).await.post(&mut browser).await;
    assert_eq!(browser.arrive(posted).await.status, 200);
    let mut copy = browser.clone();
    let cleanup = format!("{}?wa=wsignoutcleanup1.0", world.url("/auth/callback"));
    // Where the browser sends no cookie there is nothing to end.
    let image =
        "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\nSec-Fetch-Site: cross-site\r\n";
    let shown = browser.request("GET", &cleanup, Way::CrossSite, image, "").await;
    assert_eq!((shown.status, shown.body.as_str()), (200, ""));
    assert_eq!(browser.visit(&world.url("/orders/7")).await.status, 200);
    let shown = browser.follow_link(&cleanup).await;
    assert_eq!((shown.status, shown.body.as_str()), (200, ""));
    assert_eq!(shown.header("cache-control"), "no-store");
    for browser in [&mut browser, &mut copy] {
        browser.visit(&world.url("/orders/7")).await.location();
    }
}

#[tokio::test]
async fn an_address_lets_nobody_in_unless_the_provider_answers_for_it() {
    let own = |scene: &Scene| {
        format!(
            "[provider.entra]\nissuer = \"{}\"\nemails = \"verified\"\nsubject_claim = \"name_id\"\n\
             [relying_party.staff.people]\ndirectories = {{}}\n\
             email_domains = {{ \"nordlys.example\" = \"Cust12345\" }}\n",
            scene.issuer(&scene.directory)
        )
    };
    // Its address is known once it runs.
    let mut scene = Scene::new(EntraToken::Saml11).await;
    let people = own(&scene);
    scene.layered(&people);
    let world = &scene.world;
    let mut browser = world.browser();
    let posted = scene.arrive(&mut browser, ASTRID).await.post(&mut browser).await;
    assert_eq!(browser.arrive(posted).await.status, 200);
    assert_eq!(world.app.last().header("X-SuperOffice-Email"), Some(ASTRID));
    let mut browser = world.browser();
    let posted = scene.arrive(&mut browser, SIOBHAN).await.post(&mut browser).await;
    assert!((400..500).contains(&posted.status), "{posted:?}");
}

#[tokio::test]
async fn an_attempt_signs_in_once_though_another_token_comes_for_it() {
    let scene = Scene::new(EntraToken::Saml20).await;
    let mut browser = scene.world.browser();
    let first = scene.arrive_with(&mut browser, answer(&scene.draft().sign())).await;
    let second = Posting { wresult: answer(&scene.draft().sign()), ..first.clone() };
    // The same cookies elsewhere, so that nobody is signed in there yet.
    let mut copy = browser.clone();
    let posted = first.post(&mut browser).await;
    assert_eq!(browser.arrive(posted).await.status, 200);
    let handed = second.post(&mut copy).await;
    let landed = copy.step(&handed).await;
    landed.is_page(400);
    assert!(!landed.signs_in());
}

#[tokio::test]
async fn a_token_of_another_tenant_than_was_asked_for_lets_nobody_in() {
    let mut scene = Scene::new(EntraToken::Saml20).await;
    scene.layered(
        "[route.app]\ntenant_parameter = \"ctx\"\n[relying_party.staff.people.directories]\n\
         \"72f988bf-86f1-41af-91ab-2d7cd011db47\" = \"Cust67890\"",
    );
    for (asked, comes_in) in [("Cust12345", true), ("Cust67890", false)] {
        let mut browser = scene.world.browser();
        let target = scene.world.url(&format!("/orders/7?ctx={asked}"));
        let redirect = browser.visit(&target).await;
        let posting = Posting {
            wctx: redirect.parameter("wctx").unwrap(),
            ..scene.arrive_with(&mut browser, answer(&scene.draft().sign())).await
        };
        let posted = posting.post(&mut browser).await;
        let signed_in = match comes_in {
            true => browser.step(&posted).await.signs_in(),
            false => posted.signs_in() || posted.status < 400,
        };
        assert_eq!(signed_in, comes_in, "{asked}: {posted:?}");
    }
}
