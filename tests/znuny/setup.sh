#!/usr/bin/env bash
# Installs and starts a real Znuny 6.5 on this machine alone, as a desk to exchange with. Debian 12, as root; about four
# minutes the first time, seconds afterwards. Needs a PostgreSQL that `su postgres -c psql` reaches.
#
#   ./setup.sh STATE_DIR            installs what is missing, and starts it
#   ./setup.sh STATE_DIR hook       has it tell each new article to $PARTNER$HOOK from now on (the portal under test)
#   ./setup.sh STATE_DIR stop       stops it
#
#   ZNUNY_PORT=8301                 where it listens, on 127.0.0.1
#   PGPORT=5432                     the port of PostgreSQL
#   PARTNER=http://127.0.0.1:8000   the portal
#   HOOK=/hooks/znuny/              its address for webhooks
#   HOOK_USER, HOOK_PASSWORD        what Znuny signs in with there (HTTP Basic); without a user it does not
#
# Afterwards: http://127.0.0.1:8301/otrs/index.pl, root@localhost / rootpw (an administrator), apiagent / apipw (the
# agent for the portal), a customer ACME, a queue Raw, and the web services PartnerREST, PartnerSOAP and PartnerWebhook.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
state=${1:?where to keep configuration and logs}
port=${ZNUNY_PORT:-8301}
pgport=${PGPORT:-5432}
database=otrs2
as_znuny() { (cd /usr/share/otrs && setpriv --reuid=otrs --regid=www-data --init-groups "$@"); }
console() { as_znuny bin/otrs.Console.pl "$@"; }
installed() { dpkg-query -W -f '${Status}' otrs2 2>/dev/null | grep -q 'install ok installed'; }
in_database() { PGPASSWORD=otrspw psql -q -h 127.0.0.1 -p "$pgport" -U otrs -d "$database" -v ON_ERROR_STOP=1 "$@"; }

stop() {
  as_znuny bin/otrs.Daemon.pl stop || true
  if [ -f "$state/httpd.conf" ]; then apache2 -f "$state/httpd.conf" -k stop || true; fi
}

# A web service, added or brought up to date: its id is in the list.
web_service() {
  local name=$1 source=$2 id
  id=$(console Admin::WebService::List | sed -n "s/.*\b$name (\([0-9]*\)).*/\1/p" | head -1)
  if [ -n "$id" ]; then
    console Admin::WebService::Update --webservice-id "$id" --source-path "$source" >/dev/null
  else
    console Admin::WebService::Add --name "$name" --source-path "$source" >/dev/null
  fi
}

hook() {
  local authentication='{}'
  if [ -n "${HOOK_USER:-}" ]; then
    authentication="{AuthType: BasicAuth, BasicAuthUser: '$HOOK_USER', BasicAuthPassword: '${HOOK_PASSWORD:-}'}"
  fi
  sed "s#@PARTNER@#${PARTNER:-http://127.0.0.1:8000}#; s#@HOOK@#${HOOK:-/hooks/znuny/}#; s#@AUTHENTICATION@#$authentication#" \
    "$here/webhook.yml" > "$state/webhook.yml"
  chmod 644 "$state/webhook.yml"
  web_service PartnerWebhook "$state/webhook.yml"
}

install_znuny() {
  # In Debian 12 Znuny's package is still called otrs2, and it is in non-free.
  sed 's/^Components:.*/Components: contrib non-free/' /etc/apt/sources.list.d/debian.sources \
    > /etc/apt/sources.list.d/znuny-nonfree.sources
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  echo 'otrs2 otrs2/dbconfig-install boolean false' | debconf-set-selections
  # REST and SOAP need two modules that the package does not ask for; without the first, REST answers an empty 200.
  # The package cannot configure itself before its database is there: that failure is expected here.
  apt-get install -y -qq --no-install-recommends otrs2 apache2 libapache2-mod-perl2 libdbd-pg-perl \
    librest-client-perl libsoap-lite-perl w3m >"$state/apt.log" 2>&1 || true
  su postgres -c "psql -q -p $pgport" <<SQL
CREATE ROLE otrs LOGIN PASSWORD 'otrspw';
CREATE DATABASE $database OWNER otrs ENCODING 'UTF8' TEMPLATE template0;
SQL
  for part in schema initial_insert schema-post; do
    in_database -f "/usr/share/otrs/scripts/database/$part.postgresql.sql" >/dev/null
  done
  for pair in "dbuser:otrs" "dbpass:otrspw" "dbname:$database" "dbserver:127.0.0.1" "dbport:$pgport" "dbtype:pgsql"; do
    sed -i "s/^our \$${pair%%:*}=.*/our \$${pair%%:*}='${pair#*:}';/" /etc/otrs/database.pm
  done
  dpkg --configure -a >>"$state/apt.log" 2>&1
  # No look-ups of mail domains, no mail sent. Addresses at example.com and its like are refused by Znuny.
  sed -i "0,/^    return 1;/s||    \$Self->{CheckMXRecord} = 0;\n    \$Self->{FQDN} = '127.0.0.1:$port';\n    \$Self->{HttpType} = 'http';\n    \$Self->{SendmailModule} = 'Kernel::System::Email::DoNotSendEmail';\n\n    return 1;|" \
    /etc/otrs/Kernel/Config.pm
  console Admin::User::SetPassword root@localhost rootpw
  console Admin::User::Add --user-name apiagent --first-name Api --last-name Agent \
    --email-address apiagent@peerdesk.test --password apipw --group users --group admin
  console Admin::Group::UserLink --user-name apiagent --group-name users --permission rw
}

configure() {
  # New accounts belong to a customer, which must be there.
  if [ -z "$(in_database -tAc "SELECT 1 FROM customer_company WHERE customer_id = 'ACME'")" ]; then
    console Admin::CustomerCompany::Add --customer-id ACME --name Acme >/dev/null
  fi
  for name in rest soap; do
    install -m 644 "$here/$name.yml" "$state/$name.yml"
  done
  web_service PartnerREST "$state/rest.yml"
  web_service PartnerSOAP "$state/soap.yml"
}

start() {
  local modules="" module
  for module in env alias authn_core authz_core authz_host mime dir filter deflate headers rewrite setenvif perl; do
    modules+="Include /etc/apache2/mods-available/$module.load"$'\n'
  done
  cat > "$state/httpd.conf" <<CONF
ServerRoot /etc/apache2
ServerName 127.0.0.1
PidFile $state/apache.pid
Listen 127.0.0.1:$port
User otrs
Group www-data
ErrorLog $state/error.log
DefaultRuntimeDir $state
Mutex fcntl
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
${modules}TypesConfig /etc/mime.types
StartServers 2
MaxRequestWorkers 6
KeepAlive On
KeepAliveTimeout 5
<Directory />
  Require all denied
</Directory>
DocumentRoot /var/www/html
<Directory /usr/share/otrs>
  Require all granted
</Directory>
Include /etc/apache2/conf-available/otrs2.conf
CONF
  install -d -o otrs -g www-data -m 2775 /run/otrs
  apache2 -f "$state/httpd.conf" -k start </dev/null >"$state/start.log" 2>&1
  as_znuny bin/otrs.Daemon.pl start </dev/null >>"$state/start.log" 2>&1
}

answers() { curl -fs -o /dev/null --max-time 10 "http://127.0.0.1:$port/otrs/index.pl"; }

mkdir -p "$state"
case "${2:-}" in
  stop) stop; exit 0 ;;
  hook) hook; exit 0 ;;
esac
installed || install_znuny
configure
answers || start
for _ in $(seq 60); do
  answers && { echo "Znuny answers on 127.0.0.1:$port"; exit 0; }
  sleep 1
done
echo "Znuny does not answer; see $state/error.log" >&2
exit 1
