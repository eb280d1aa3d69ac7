//! `vault outbox`: what waits to be told to apps.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::Verdict;
use crate::vault::{Event, Unopened, Waiting};

use super::list::{Form, date, visible};
use super::open::Opened;

/// Prints every event that waits.
pub(super) async fn outbox(
    opened: &Opened,
    form: Form,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let letters = opened.vault.letters().await.map_err(opened.failed())?;
    let aside = opened.vault.aside().await.map_err(opened.failed())?;
    match form {
        Form::Json => {
            let events: Vec<Value> = letters.iter().map(in_json).collect();
            let aside: Vec<Value> = aside.iter().map(aside_in_json).collect();
            writeln!(out, "{:#}", json!({ "events": events, "set_aside": aside }))?;
        }
        Form::Text => {
            if letters.is_empty() {
                writeln!(out, "nothing waits to be told")?;
            }
            letters.iter().try_for_each(|letter| print(letter, out))?;
            for Waiting { letter, .. } in &aside {
                let id = visible(&letter.id);
                writeln!(out, "{id}  {}  is damaged and set aside: nobody is told", letter.name)?;
            }
        }
    }
    let sound = aside.is_empty() && letters.iter().all(|(_, event)| event.is_ok());
    Ok(if sound { Verdict::Fine } else { Verdict::Problems })
}

/// Gives an event up: nobody is told.
pub(super) async fn give_up(opened: &Opened, id: &str, out: &mut dyn Write) -> io::Result<Verdict> {
    let letters = opened.vault.letters().await.map_err(opened.failed())?;
    let aside = opened.vault.aside().await.map_err(opened.failed())?;
    let mut all = letters.into_iter().map(|(waiting, _)| waiting).chain(aside);
    if let Some(waiting) = all.find(|waiting| waiting.letter.id == id)
        && opened.vault.taken(waiting).await.map_err(opened.failed())?
    {
        opened.audited.did("vault_give_up", id);
        writeln!(out, "{}: given up", visible(id))?;
        return Ok(Verdict::Fine);
    }
    writeln!(out, "{}: no such event waits", visible(id))?;
    Ok(Verdict::Problems)
}

fn print(
    (waiting, event): &(Waiting, Result<Event, Unopened>),
    out: &mut dyn Write,
) -> io::Result<()> {
    let letter = &waiting.letter;
    let what = match event {
        Ok(event) => event.kind.name().to_owned(),
        Err(why) => why.to_string(),
    };
    writeln!(
        out,
        "{}  {}  {what}  since {}  {} tries  due {}",
        visible(&letter.id),
        letter.name,
        date(letter.written),
        waiting.tries,
        date(waiting.due),
    )
}

fn aside_in_json(waiting: &Waiting) -> Value {
    let name = &waiting.letter.name;
    json!({
        "id": waiting.letter.id,
        "environment": name.environment,
        "client_id": name.client_id,
        "tenant": name.tenant,
    })
}

fn in_json((waiting, event): &(Waiting, Result<Event, Unopened>)) -> Value {
    let letter = &waiting.letter;
    let mut fields = json!({
        "id": letter.id,
        "environment": letter.name.environment,
        "client_id": letter.name.client_id,
        "tenant": letter.name.tenant,
        "since": date(letter.written),
        "due": date(waiting.due),
        "tries": waiting.tries,
    });
    match event {
        Ok(event) => fields["type"] = event.kind.name().into(),
        Err(why) => fields["problem"] = why.to_string().into(),
    }
    fields
}
