<?php
// The provider itself, speaking SAML 2.0.

$metadata[getenv('PROVIDER_URL') . '/saml'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'provider-key.pem',
    'certificate' => 'provider.pem',
    'auth' => 'people',
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'simplesaml.nameidattribute' => 'uid',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
];
