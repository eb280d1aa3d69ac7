//! Federation metadata: issuer, key and address of the provider.

use base64::prelude::{BASE64_STANDARD, Engine};
use http::StatusCode;

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::world::World;
use super::super::xml::escaped;
use super::people::issuer;

/// `/entra/{directory}/FederationMetadata/2007-06/FederationMetadata.xml` (WS-Federation 1.2, 3).
/// For `common` the issuer has `{tenantid}` in the place of a directory, as Microsoft's has.
pub(super) fn document(world: &World, call: &Call) -> Answer {
    let directory = call.path.split('/').nth(2).unwrap_or_default();
    let entity = match directory {
        "common" | "organizations" => issuer(world, "{tenantid}"),
        directory => issuer(world, directory),
    };
    let (entity, certificate) =
        (escaped(&entity), BASE64_STANDARD.encode(world.entra.key().certificate()));
    let address = escaped(&format!("{}/entra/{directory}/wsfed", world.base));
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity}\">\
<RoleDescriptor xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
xmlns:fed=\"http://docs.oasis-open.org/wsfed/federation/200706\" \
xsi:type=\"fed:SecurityTokenServiceType\" \
protocolSupportEnumeration=\"http://docs.oasis-open.org/wsfed/federation/200706\">\
<KeyDescriptor use=\"signing\"><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data>\
<X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>\
<fed:PassiveRequestorEndpoint>\
<EndpointReference xmlns=\"http://www.w3.org/2005/08/addressing\"><Address>{address}</Address>\
</EndpointReference></fed:PassiveRequestorEndpoint></RoleDescriptor></EntityDescriptor>"
    );
    Answer::new(StatusCode::OK, "application/xml; charset=utf-8", text)
}
