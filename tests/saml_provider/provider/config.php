<?php
// SimpleSAMLphp for a few minutes on loopback: everything it writes goes to the scratch folder.

$scratch = getenv('SCRATCH') . '/';

$config = [
    'baseurlpath' => getenv('PROVIDER_URL') . '/',
    'certdir' => $scratch,
    'loggingdir' => $scratch,
    'datadir' => $scratch,
    'tempdir' => $scratch . 'temporary',
    'metadatadir' => __DIR__ . '/metadata/',
    'secretsalt' => getenv('SECRET_SALT'),
    'auth.adminpassword' => getenv('SECRET_SALT'),
    'technicalcontact_email' => 'na@example.org',
    'timezone' => 'UTC',
    'admin.checkforupdates' => false,
    'trusted.url.domains' => [parse_url(getenv('GATEWAY_URL'), PHP_URL_HOST) . ':' . parse_url(getenv('GATEWAY_URL'), PHP_URL_PORT)],
    'logging.handler' => 'file',
    'logging.level' => SimpleSAML\Logger::NOTICE,
    'showerrors' => true,
    'errorreporting' => false,
    'enable.saml20-idp' => true,
    'enable.adfs-idp' => true,
    'module.enable' => ['exampleauth' => true, 'adfs' => true, 'core' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.phpsession.savepath' => $scratch,
    'store.type' => 'phpsession',
    'language.available' => ['en'],
    'language.default' => 'en',
    'metadata.sources' => [['type' => 'flatfile']],
];
