<?php
// The gateway's relying parties, as an administrator of the provider would register them.

foreach (json_decode(file_get_contents(getenv('SCRATCH') . '/registrations.json'), true) as $one) {
    $metadata[$one['entity']] = [
        'AssertionConsumerService' => getenv('GATEWAY_URL') . $one['path'],
    ] + $one['registered'];
}
