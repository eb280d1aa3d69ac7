//! From why a tenant cannot be called to what the caller hears.

use crate::credentials::NoTicket;
use crate::tenants::Away;

use super::super::respond::Refused;
use super::trouble::CallTrouble;
