package gesso.lib.credentials_test

import data.gesso.lib.credentials

# The texts are put together here, so that nobody takes this file for one that holds credentials.

_aws := concat("", ["AKIA", "IOSFODNN7EXAMPLE"])

_github := concat("", ["ghp", "_", "0123456789abcdefghij0123456789abcdef"])

_jwt := concat(".", ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0", "c2ln"])

_pem(kind) := concat("", ["-----BEGIN ", kind, "-----"])

test_found[case.note] if {
	some case in [
		{"note": "aws", "text": _aws, "want": {"an access key of AWS"}},
		{"note": "aws, temporary", "text": concat("", ["ASIA", "IOSFODNN7EXAMPLE"]), "want": {"an access key of AWS"}},
		{"note": "aws in the middle", "text": sprintf("id=%s;", [_aws]), "want": {"an access key of AWS"}},
		{"note": "aws, too long", "text": sprintf("%sX", [_aws]), "want": set()},
		{"note": "a private key", "text": _pem("PRIVATE KEY"), "want": {"a private key"}},
		{"note": "one of RSA", "text": sprintf("x\n%s\ny", [_pem("RSA PRIVATE KEY")]), "want": {"a private key"}},
		{"note": "one of PGP", "text": _pem("PGP PRIVATE KEY BLOCK"), "want": {"a private key"}},
		{"note": "a certificate", "text": _pem("CERTIFICATE"), "want": set()},
		{"note": "a public key", "text": _pem("PUBLIC KEY"), "want": set()},
		{"note": "slack", "text": concat("", ["xoxb", "-1234-abcd"]), "want": {"a token of Slack"}},
		{"note": "not slack", "text": "foxxox-", "want": set()},
		{"note": "github", "text": _github, "want": {"a token of GitHub"}},
		{"note": "github, too short", "text": "ghp_short", "want": set()},
		{"note": "github, fine-grained", "text": concat("", ["github", "_pat_0123456789abcdefghijkl"]), "want": {"a fine-grained token of GitHub"}},
		{"note": "gitlab", "text": concat("", ["gl", "pat-0123456789abcdefghij"]), "want": {"a token of GitLab"}},
		{"note": "stripe", "text": concat("", ["sk_", "live_0123456789abcdef"]), "want": {"a key of Stripe"}},
		{"note": "jwt", "text": sprintf("Bearer %s", [_jwt]), "want": {"a JSON Web Token"}},
		{"note": "half a jwt", "text": "eyJhbGciOiJIUzI1NiJ9", "want": set()},
		{"note": "a url with a password", "text": "postgres://shop:correct-horse@db/shop", "want": {"a URL with a password"}},
		{"note": "a url without a user", "text": "redis://:correct-horse@cache:6379/0", "want": {"a URL with a password"}},
		{"note": "a url without a password", "text": "postgres://shop@db/shop", "want": set()},
		{"note": "a url with a port", "text": "https://registry.example:5000/x@y", "want": set()},
		{"note": "a url with a reference", "text": "postgres://$(DB_USER):$(DB_PASSWORD)@db/shop", "want": set()},
		{"note": "a url with another", "text": "postgres://shop:${DB_PASSWORD}@db/shop", "want": set()},
		{"note": "a url with a placeholder", "text": "postgres://shop:<password>@db/shop", "want": set()},
		{"note": "a template", "text": "postgres://shop:{{ .password }}@db/shop", "want": set()},
		{"note": "one of two urls", "text": "a://u:$(P)@h b://u:correct-horse@h", "want": {"a URL with a password"}},
		{"note": "an image with a digest", "text": "docker://shop:1.2@sha256:e3b0", "want": set()},
		{"note": "two at once", "text": sprintf("%s %s", [_aws, _jwt]), "want": {"an access key of AWS", "a JSON Web Token"}},
		{"note": "nothing", "text": "", "want": set()},
	]
	credentials.found(case.text) == case.want
}

test_telling if {
	every name in ["PASSWORD", "DB_PASSWORD", "dbPassword", "db.passwd", "CLIENT_SECRET", "github-token", "API_KEY", "apikey", "api-key", "AWS_SECRET_ACCESS_KEY"] {
		credentials.telling(name)
	}
	every name in ["SECRET_KEY_FILE", "GITHUB_TOKEN_FILE", "TOKEN_TTL", "PASSWORD_MIN_LENGTH", "SECRET_NAME", "KEY", ""] {
		not credentials.telling(name)
	}
}

test_literal if {
	every value in ["correct-horse", "123456", "x y", "a$(B)", "/x", "changeme"] {
		credentials.literal(value)
	}
	every value in ["", "  ", "$(DB_PASSWORD)", "${DB_PASSWORD}", "$DB_PASSWORD", "{{ .password }}", "<password>", "****", "true", "No", "/run/secrets/x", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x", "vault:secret/x"] {
		not credentials.literal(value)
	}
}

test_flag if {
	credentials.flag("--password=correct-horse") == "--password"
	credentials.flag("--db-password") == "--db-password"
	credentials.flag("-token=x") == "-token"
	credentials.flag("--github.api-key=x") == "--github.api-key"
	every argument in ["--password-file=/x", "--token-ttl=60", "--tls-secret=x", "password=x", "--verbose", ""] {
		not credentials.flag(argument)
	}
}
