<?php
// What php's own web server asks first. The one address of ours is the sign-in page that names the
// app, as SuperID's does; it leads to the provider's own page for a sign-in that begins there.

if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) === '/login/') {
    $query = http_build_query(['spentityid' => $_GET['app_id']]);
    header('Location: ' . getenv('PROVIDER_URL') . '/saml2/idp/SSOService.php?' . $query, true, 302);
    return true;
}
return false;
