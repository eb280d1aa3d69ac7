//! From nothing to a certificate, and from one to the next.

use std::fs;

use crate::authority::LIFE;
use crate::gate::{Gate, NOW, ask, leaf};
use crate::looks;

#[tokio::test]
async fn the_first_certificate_comes_by_http_and_people_are_served_under_it() {
    let gate = Gate::with("http-01", "", |authority| authority.state().looks_away = true).await;
    // An order is under way: nobody is shown anything yet, and everything else serves.
    let authority = gate.authority.clone();
    gate.turning("both hosts are laid out", async || gate.laid() == 2).await;
    let refused = gate.trusting().await.unwrap_err();
    assert!(refused.contains("AccessDenied"), "{refused}");
    assert_eq!(gate.standing().await["state"], "awaited");
    assert_eq!(gate.metric("certificate_expiry_timestamp_seconds", "").await, Some(0.0));

    // Its tokens are answered, to their own host alone; others are for whoever they were before.
    let tokens = authority.tokens();
    let page = async |host: &str, token: &str| {
        let path = format!("/.well-known/acme-challenge/{token}");
        looks::page(gate.plain, host, &path).await.unwrap()
    };
    let (status, body) = page("app.example", &tokens[0]).await;
    assert!(status == 200 && body.starts_with(&format!("{}.", tokens[0])), "{status} {body}");
    assert_eq!(page("APP.example:80", &tokens[0]).await.0, 200);
    assert_eq!(page("app.example", &tokens[1]).await.0, 308, "the other host's");
    assert_eq!(page("app.example", "nobodys").await.0, 308);
    assert_eq!(page("app.example", "..%2Fapp.json").await.0, 400);
    assert_eq!(page("evil.example", &tokens[0]).await.0, 421);
    assert_eq!(gate.seen(), 0, "the app hears of none of it");

    authority.state().looks_away = false;
    let mut gate = gate.restarted().await;
    gate.turning("what was interrupted may be tried again", async || gate_issued(&authority)).await;
    gate.stored(1).await;
    let mut stream = gate.trusting().await.unwrap();
    assert_eq!(ask(&mut stream).await, Some(200));
    assert_eq!(gate.seen(), 1);
    assert_eq!(gate.laid(), 0, "nothing is left to ask for");
    assert_eq!(page_status(&gate, &tokens[0]).await, 308);

    let standing = gate.standing().await;
    assert_eq!(standing["state"], "there");
    assert!(standing["ends"].as_u64().unwrap() > NOW + LIFE - 120, "{standing}");
    assert_eq!(gate.metric("orders_total", ",outcome=\"issued\"").await, Some(1.0));
    assert_eq!(authority.state().accounts()[0]["contact"][0], "mailto:operations@example.com");
    for (name, mode) in gate.files() {
        let wanted = if name == "challenges" { continue } else { 0o600 };
        assert_eq!(mode, wanted, "{name} is for its owner alone");
    }
}

fn gate_issued(authority: &crate::authority::Authority) -> bool {
    authority.state().issued == 1
}

async fn page_status(gate: &Gate, token: &str) -> u16 {
    let path = format!("/.well-known/acme-challenge/{token}");
    looks::page(gate.plain, "app.example", &path).await.unwrap().0
}

#[tokio::test]
async fn the_first_certificate_comes_by_tls_and_the_proof_is_shown_during_the_order_alone() {
    let more = "\n[listener.other]\naddress = \"127.0.0.1:0\"\n";
    let mut gate = Gate::with("tls-alpn-01", more, |_| {}).await;
    gate.stored(1).await;
    let mut stream = gate.trusting().await.unwrap();
    assert_eq!(ask(&mut stream).await, Some(200));

    let outside = looks::shown(gate.web, "app.example", &[b"acme-tls/1"]).await.unwrap_err();
    assert!(outside.contains("AccessDenied"), "{outside}");
    let beside = looks::shown(gate.web, "app.example", &[b"acme-tls/1", b"http/1.1"]).await;
    let (shown, protocol) = beside.unwrap();
    assert_eq!(protocol.as_deref(), Some(&b"http/1.1"[..]), "who speaks HTTP is served");
    assert_eq!(shown.to_vec(), leaf(&stream));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_while_kept_connections_go_on() {
    let mut gate = Gate::new("http-01").await;
    gate.stored(1).await;
    let mut kept = gate.trusting().await.unwrap();
    assert_eq!(ask(&mut kept).await, Some(200));
    let first = leaf(&kept);

    gate.clock.advance(LIFE / 2);
    gate.turning("it is looked at", async || next_order(&gate).await > NOW).await;
    assert_eq!(gate.authority.state().asked, 1, "half its life is left");
    gate.clock.advance(LIFE / 6 + LIFE / 30 + 60);
    gate.stored(2).await;
    assert_eq!(ask(&mut kept).await, Some(200), "the same connection");
    let mut fresh = gate.trusting().await.unwrap();
    assert_eq!(ask(&mut fresh).await, Some(200));
    assert_ne!(leaf(&fresh), first);
    assert_eq!(gate.authority.state().accounts().len(), 1, "the account is kept");
}

async fn next_order(gate: &Gate) -> u64 {
    gate.metric("next_order_timestamp_seconds", "").await.unwrap_or(0.0) as u64
}

#[tokio::test]
async fn a_restart_reads_what_is_stored_and_orders_nothing_and_so_does_a_second_process() {
    let mut gate = Gate::new("http-01").await;
    gate.stored(1).await;
    let first = leaf(&gate.trusting().await.unwrap());
    let gate = gate.restarted().await;
    assert_eq!(leaf(&gate.trusting().await.unwrap()), first, "from the first moment on");
    let second = gate.beside().await;
    for gate in [&gate, &second] {
        gate.turning("it has looked", async || gate.standing().await["state"] == "there").await;
    }
    assert_eq!(gate.authority.state().asked, 1);

    // Renewal: one of them orders, both show it.
    gate.clock.advance(LIFE);
    let (mut gate, mut second) = (gate, second);
    let authority = gate.authority.clone();
    gate.turning("one of them has ordered", async || authority.state().issued == 2).await;
    let there =
        async |gate: &Gate| gate.standing().await["ends"].as_u64() > Some(NOW + 2 * LIFE - 900);
    gate.turning("both know", async || there(&gate).await && there(&second).await).await;
    gate.running.look_at_certificates();
    second.running.look_at_certificates();
    let shown = leaf(&gate.trusting().await.unwrap());
    assert_eq!(shown, leaf(&second.trusting().await.unwrap()));
    assert_ne!(shown, first);
    assert_eq!(authority.state().issued, 2, "never both");
}

#[tokio::test]
async fn what_the_configuration_newly_asks_for_is_ordered_and_the_old_goes_on_meanwhile() {
    let mut gate = Gate::new("http-01").await;
    gate.stored(1).await;
    let first = leaf(&gate.trusting().await.unwrap());
    gate.reload("\"www.app.example\"", "\"shop.app.example\"").unwrap();
    assert_eq!(leaf(&gate.trusting().await.unwrap()), first);
    gate.stored(2).await;
    let (shown, _) = looks::shown(gate.web, "shop.app.example", &[]).await.unwrap();
    assert_ne!(shown.to_vec(), first);
}

#[tokio::test]
async fn the_authoritys_own_word_on_when_to_renew_counts() {
    let window = (NOW + 5 * 86_400, NOW + 5 * 86_400 + 3_600);
    let tell = |authority: &crate::authority::Authority| authority.state().window = Some(window);
    let mut gate = Gate::with("http-01", "", tell).await;
    gate.stored(1).await;
    gate.turning("it has asked", async || (window.0..window.1).contains(&next_order(&gate).await))
        .await;
    assert!(gate.authority.state().replaced.is_empty());
    gate.clock.advance(5 * 86_400 + 3_600);
    gate.stored(2).await;
    let replaced = gate.authority.state().replaced.clone();
    let [one] = replaced.as_slice() else { panic!("{replaced:?}") };
    assert!(one.as_str().unwrap().contains('.'), "by key and serial (RFC 9773 §4.1): {one}");

    // The window of the new one lies in the past: an authority that says so is not believed at once.
    gate.clock.advance(LIFE / 100);
    let (before, after) = (gate.clock.now().0, LIFE / 60 - LIFE / 100);
    gate.turning("time has passed", async || gate.clock.now().0 > before + 60).await;
    assert_eq!(gate.authority.state().issued, 2);
    gate.clock.advance(after);
    gate.stored(3).await;
}

#[tokio::test]
async fn an_account_of_another_kind_is_bound_where_the_authority_wants_one() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let more = format!(
        "external_account_id = \"kid-1\"\nexternal_account_key = {{ value = \"{key}\" }}\n"
    );
    let mut gate = Gate::with("http-01", &more, |authority| {
        authority.state().external = Some(("kid-1".to_owned(), (0..32).collect()));
    })
    .await;
    gate.stored(1).await;
    for (name, _) in gate.files().iter().filter(|(name, _)| name != "challenges") {
        let text = fs::read_to_string(gate.folder.path().join(name)).unwrap();
        assert!(!text.contains(key), "{name} holds what it need not");
    }
}
