<?php
// The gateway's relying party of WS-Federation.

$metadata['urn:gateway:federated'] = [
    'prp' => getenv('GATEWAY_URL') . '/auth/federated',
    'simplesaml.nameidattribute' => 'uid',
];
