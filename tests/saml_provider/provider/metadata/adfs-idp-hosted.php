<?php
// The provider itself, speaking WS-Federation.

$metadata[getenv('PROVIDER_URL') . '/federation'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'provider-key.pem',
    'certificate' => 'provider.pem',
    'auth' => 'people',
];
