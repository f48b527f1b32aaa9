package redact

import "bytes"

// isCommon reports whether a string occurs in reports for a hundred reasons.
// Hiding it wherever it stands would hide the report and not the secret.
func isCommon(s []byte) bool {
	if len(s) < 24 && commonWords[lower(s)] {
		return true
	}
	switch {
	case len(s) <= 8 && isPort(s): // dates, counts, ports, years
		return true
	case isAddress(s), isRegion(s), isTime(s), isRepeated(s):
		return true
	}
	return false
}

func lower(s []byte) string {
	low := make([]byte, len(s))
	for i, c := range s {
		if isUpper(c) {
			c |= 0x20
		}
		low[i] = c
	}
	return string(low)
}

// isAddress reports whether s is an IP address or network, or a version number.
func isAddress(s []byte) bool {
	dots, colons, digits := 0, 0, 0
	for _, c := range s {
		switch {
		case isDigit(c):
			digits++
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c == '/':
		case c == 'v' && len(s) > 1 && s[0] == 'v':
		case 'a' <= c && c <= 'f':
			if dots > 0 {
				return false
			}
		default:
			return false
		}
	}
	return dots >= 1 && digits > dots || colons >= 2
}

// isRegion reports whether s is a region or zone of AWS or Google: eu-west-1,
// us-gov-east-1b, europe-west3-a. Azure's are among the common words.
func isRegion(s []byte) bool {
	parts := bytes.Split(s, []byte("-"))
	if len(parts) < 2 || len(parts) > 4 || len(s) > 28 || !continents[string(parts[0])] {
		return false
	}
	for _, part := range parts[1:] {
		part = bytes.TrimRight(part, "0123456789")
		if len(part) > 1 && !directions[string(part)] && string(part) != "gov" && string(part) != "iso" {
			return false
		}
	}
	return true
}

var (
	continents = set(`us eu ap sa ca me af il cn mx europe asia australia northamerica southamerica africa`)
	directions = set(`east west north south central northeast northwest southeast southwest`)
)

// isTime reports whether s begins with a date as RFC 3339 writes it.
func isTime(s []byte) bool {
	if len(s) < len("2006-01-02") || len(s) > 35 {
		return false
	}
	for i, c := range s[:10] {
		if i == 4 || i == 7 {
			if c != '-' {
				return false
			}
		} else if !isDigit(c) {
			return false
		}
	}
	return len(s) == 10 || s[10] == 'T' || s[10] == ' '
}

// isRepeated reports whether s is one character over and over.
func isRepeated(s []byte) bool {
	for _, c := range s {
		if c != s[0] {
			return false
		}
	}
	return true
}

// commonWords are lower-case strings that mean something to clouds, databases
// and the people who name things.
var commonWords = set(`
	true false null none nil yes no on off enabled disabled enable disable default active inactive unknown undefined
	pending available creating ready running stopped failed success ok error warning warn info debug trace fatal
	admin administrator root user users username guest owner system service services app apps application api web
	worker server client node nodes master main primary secondary replica reader writer standard basic premium free
	prod production prd live stage staging stg dev develop development test testing tests qa uat sandbox demo local
	localhost example example.com internal external public private shared global regional common core platform
	password passwd secret secrets token changeme changeit dummy placeholder redacted unused empty todo xxxx
	allow deny read write readonly readwrite execute full all any everyone always never auto automatic manual
	string number bool boolean object list map json yaml xml text html plain binary utf8 utf-8 base64 gzip
	http https http2 grpc tcp udp icmp ssh tls ssl dns smtp imap ldap ftp sftp
	get post put patch delete head options create update
	postgres postgresql mysql mariadb aurora oracle mssql sqlserver redis memcached mongo mongodb mongodb+srv elastic elasticsearch
	opensearch kafka rabbitmq amqp nginx apache docker kubernetes linux windows ubuntu debian alpine amazon
	aws azure google gcp github gitlab terraform opentofu hashicorp vault consul
	aes aes256 rsa rsa2048 rsa4096 sha1 sha256 sha512 md5 aws:kms sse-s3 kms hmac symmetric_default
	gp2 gp3 io1 io2 st1 sc1 t2.micro t3.micro t3.small t3.medium t3.large m5.large m5.xlarge c5.large r5.large
	db.t3.micro db.t3.small db.t3.medium db.r5.large x86_64 arm64 amd64
	ipv4 ipv6 inet subnet network vpc bucket cluster database db table queue topic function lambda instance
	data value values name key type group role policy region zone account project tenant organization team
	monday tuesday wednesday thursday friday saturday sunday daily weekly monthly hourly
	2012-10-17 2008-10-17 latest stable v1 v2 v3 alpha beta release snapshot backup
	open close closed connect login logout session cookie header bearer basic digest
	email mail phone address city country german english eu us uk de fr
	eastus eastus2 westus westus2 westus3 centralus northcentralus southcentralus westcentralus northeurope westeurope
	uksouth ukwest francecentral germanywestcentral switzerlandnorth norwayeast swedencentral polandcentral italynorth
	eastasia southeastasia japaneast japanwest australiaeast australiasoutheast koreacentral centralindia southindia
	canadacentral canadaeast brazilsouth southafricanorth uaenorth
	sensitive nonsensitive securestring stringlist intelligent-tiering advanced`)
