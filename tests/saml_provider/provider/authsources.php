<?php
// Who may sign in, and what is said of them: SuperID's claims by their full names.

$claims = 'http://schemes.superoffice.net/identity/';
$person = fn ($email, $first, $last, $tenant) => [
    'uid' => [$email],
    $claims . 'ctx' => [$tenant],
    $claims . 'upn' => [$email],
    $claims . 'email' => [$email],
    $claims . 'firstname' => [$first],
    $claims . 'lastname' => [$last],
];

$config = [
    'people' => [
        'exampleauth:UserPass',
        'astrid:x' => $person('astrid.berg@nordlys.example', 'Astrid', 'Bergström & <Søn>', 'Cust12345'),
        'soren:x' => $person('soren.akesson@bakke.example', 'Søren', 'Åkesson', 'Cust20011'),
    ],
];
