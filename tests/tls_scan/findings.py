"""Lists what two scanners found above LOW, and fails for what is not excepted by name.

    findings.py FOLDER

The folder holds `testssl.json`, `sslyze-ecdsa.json` and `sslyze-rsa.json`.
"""

import json
import sys
from pathlib import Path

# Of testssl.sh: these are about the authority of the test, which nobody else knows and which says
# nothing about revocation.
EXCEPTED = {
    "cert_revocation": "the test authority has neither CRL nor OCSP",
    "cert_chain_of_trust": "the test authority is nobody's",
    "sslyze: trusted by public stores": "the test authority is nobody's",
    "sslyze: OCSP": "the test authority has no OCSP",
}
HARMLESS = {"OK", "INFO", "LOW", "WARN", "DEBUG"}
# What has to have been looked at, or the scan says nothing.
LOOKED_AT = {
    "SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "ALPN_HTTP2", "cipherlist_NULL",
    "cipherlist_aNULL", "cipherlist_EXPORT", "cipherlist_LOW", "cipherlist_3DES_IDEA", "PFS",
    "cipher_order", "cert_revocation", "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego",
    "secure_client_renego", "CRIME_TLS", "BREACH", "POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK",
    "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4",
}


def main(folder):
    found = list(of_testssl(json.loads((folder / "testssl.json").read_text())))
    for kind in ("ecdsa", "rsa"):
        scanned = json.loads((folder / f"sslyze-{kind}.json").read_text())
        found += [(name, severity, f"{text} ({kind})") for name, severity, text in of_sslyze(scanned)]
    bad = 0
    for name, severity, text in found:
        why = EXCEPTED.get(name)
        print(f"{'excepted' if why else 'FOUND':8} {severity:8} {name}: {text}{f' [{why}]' if why else ''}")
        bad += not why
    print(f"{bad} findings above LOW, and {len(found) - bad} excepted by name")
    return 1 if bad else 0


def of_testssl(entries):
    missing = LOOKED_AT - {entry["id"] for entry in entries}
    if missing:
        yield "testssl: not looked at", "FATAL", ", ".join(sorted(missing))
    for entry in entries:
        if entry["severity"] not in HARMLESS:
            yield entry["id"], entry["severity"], entry["finding"]
    print(f"testssl.sh: {len(entries)} entries")


def of_sslyze(scanned):
    (server,) = scanned["server_scan_results"]
    results = server["scan_result"]
    for name, scan in results.items():
        if scan["status"] not in ("COMPLETED", "NOT_SCHEDULED"):
            yield f"sslyze: {name}", "FATAL", scan["status"]
    told = {name: scan["result"] for name, scan in results.items() if scan["result"]}
    for old in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        if told[f"{old}_cipher_suites"]["accepted_cipher_suites"]:
            yield f"sslyze: {old}", "HIGH", "is spoken"
    for new in ("tls_1_2", "tls_1_3"):
        accepted = [one["cipher_suite"]["name"] for one in told[f"{new}_cipher_suites"]["accepted_cipher_suites"]]
        if not accepted:
            yield f"sslyze: {new}", "HIGH", "is not spoken"
        for name in accepted:
            sealed = "GCM" in name or "POLY1305" in name
            if not sealed or (new == "tls_1_2" and "_ECDHE_" not in name):
                yield f"sslyze: {new}", "MEDIUM", name
    for name, key, good in (
        ("heartbleed", "is_vulnerable_to_heartbleed", False),
        ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", False),
        ("tls_compression", "supports_compression", False),
        ("tls_fallback_scsv", "supports_fallback_scsv", True),
        ("tls_extended_master_secret", "supports_ems_extension", True),
        ("session_renegotiation", "supports_secure_renegotiation", True),
        ("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", False),
    ):
        if told[name][key] is not good:
            yield f"sslyze: {name}", "HIGH", f"{key} is {told[name][key]}"
    if not told["robot"]["robot_result"].startswith("NOT_VULNERABLE"):
        yield "sslyze: robot", "HIGH", told["robot"]["robot_result"]
    yield from of_certificates(told["certificate_info"])


def of_certificates(info):
    for deployment in info["certificate_deployments"]:
        stores = {}
        for validation in deployment["path_validation_results"]:
            stores[validation["trust_store"]["name"]] = validation["was_validation_successful"]
        # The name is looked for in it, too.
        if not stores.get("Supplied CA file"):
            yield "sslyze: chain", "HIGH", f"is not believed under its own authority: {stores}"
        if not all(stores.values()):
            yield "sslyze: trusted by public stores", "MEDIUM", "no"
        if deployment["ocsp_response"] is None:
            yield "sslyze: OCSP", "LOW", "nothing is stapled"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
