//! The cast: tenants and the people who may sign in to them.

use serde::{Deserialize, Serialize};

/// A customer's installation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Context identifier, `Cust` and digits.
    pub ctx: String,
    /// The company that owns it.
    pub company: String,
    /// Serial of its database, decimal digits; legacy tokens name it as their audience.
    pub serial: String,
}

/// Somebody who can sign in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// The SuperID user name; subject of every token.
    pub upn: String,
    pub first_name: String,
    pub last_name: String,
    pub initials: String,
    pub email: String,
    /// Empty for somebody without an account in any tenant.
    pub memberships: Vec<Membership>,
}

/// A person's account in one tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Membership {
    pub ctx: String,
    pub associate_id: u32,
    pub rights: Rights,
}

/// What a person may do in a tenant; only administrators may consent to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    Administrator,
    User,
}

/// Everyone there is. The default has three tenants and six people; see `GET /emulator/people`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seed {
    pub tenants: Vec<Tenant>,
    pub people: Vec<Person>,
}

impl Seed {
    /// So many tenants, `Cust100000` and up, each with one administrator, `admin@cust100000.example`
    /// and so on; for crowds.
    pub fn crowd(tenants: u32) -> Self {
        let ctx = |number: u32| format!("Cust{}", 100_000 + number);
        let administrator = |number| {
            let upn = format!("admin@{}.example", ctx(number).to_ascii_lowercase());
            person(&upn, "Ada Ministrator", &[(&ctx(number), 1, Rights::Administrator)])
        };
        let serial = |number: u32| (1_300_000_000 + number).to_string();
        let company = |number: u32| format!("Company {number} AS");
        Self {
            tenants: (0..tenants)
                .map(|number| tenant(&ctx(number), &company(number), &serial(number)))
                .collect(),
            people: (0..tenants).map(administrator).collect(),
        }
    }

    /// The person with this user name, in any case.
    pub fn person(&self, upn: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.upn.eq_ignore_ascii_case(upn))
    }

    /// The tenant with this context identifier, in any case.
    pub fn tenant(&self, ctx: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.ctx.eq_ignore_ascii_case(ctx))
    }
}

impl Default for Seed {
    fn default() -> Self {
        use Rights::{Administrator, User};
        let tenants = vec![
            tenant("Cust12345", "Nordlys Marine AS", "1201052551"),
            tenant("Cust20011", "Bakke & Sønner <Bygg> AS", "1201052552"),
            tenant("Cust67890", "Fjordbank ASA", "1201052553"),
        ];
        let people = vec![
            person(
                "astrid.berg@nordlys.example",
                "Astrid Berg",
                &[("Cust12345", 11, Administrator)],
            ),
            person("jonas.lie@nordlys.example", "Jonas Lie", &[("Cust12345", 12, User)]),
            person(
                "mira.holm@partner.example",
                "Mira Holm",
                &[("Cust12345", 31, User), ("Cust67890", 7, Administrator)],
            ),
            person(
                "soren.akesson@bakke.example",
                "Søren Åkesson",
                &[("Cust20011", 3, Administrator)],
            ),
            person("siobhan@fjordbank.example", "Siobhán O'Neill", &[("Cust67890", 8, User)]),
            person("guest@elsewhere.example", "Gil Guest", &[]),
        ];
        Self { tenants, people }
    }
}

impl Person {
    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The account in this tenant, if there is one.
    pub fn membership(&self, ctx: &str) -> Option<&Membership> {
        self.memberships.iter().find(|account| account.ctx.eq_ignore_ascii_case(ctx))
    }
}

fn tenant(ctx: &str, company: &str, serial: &str) -> Tenant {
    Tenant { ctx: ctx.into(), company: company.into(), serial: serial.into() }
}

fn person(upn: &str, name: &str, accounts: &[(&str, u32, Rights)]) -> Person {
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    let memberships = accounts.iter().map(|(ctx, associate_id, rights)| Membership {
        ctx: (*ctx).into(),
        associate_id: *associate_id,
        rights: *rights,
    });
    Person {
        upn: upn.into(),
        first_name: first.into(),
        last_name: last.into(),
        initials: first.chars().take(1).chain(last.chars().take(1)).collect(),
        email: upn.into(),
        memberships: memberships.collect(),
    }
}
