#!/bin/bash
# Inside the clean Debian: an nginx with two unprivileged workers is updated while a client stays connected.
set -euo pipefail
trap 'echo "line $LINENO failed"' ERR
mkdir -p /srv/nginx/{conf,www,logs}
echo hello >/srv/nginx/www/index.html
cat >/srv/nginx/conf/nginx.conf <<'CONF'
user www-data;
worker_processes 2;
pid /srv/nginx/nginx.pid;
error_log /srv/nginx/logs/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path /srv/nginx/body;
    proxy_temp_path /srv/nginx/proxy;
    fastcgi_temp_path /srv/nginx/fastcgi;
    uwsgi_temp_path /srv/nginx/uwsgi;
    scgi_temp_path /srv/nginx/scgi;
    server { listen 127.0.0.1:8080; root /srv/nginx/www; }
}
CONF
mkdir -p /usr/local/sbin
install /opt/old/nginx /usr/local/sbin/nginx
# A service manager hands down no descriptors; those from outside are of files that are not mounted here.
for fd in /proc/self/fd/*; do
  fd=${fd##*/}
  ((fd <= 2)) || eval "exec $fd>&-"
done
/usr/local/sbin/nginx -p /srv/nginx -c /srv/nginx/conf/nginx.conf </dev/null >/dev/null 2>&1

pids() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    [[ $(readlink "$exe") != */nginx* ]] || basename "$(dirname "$exe")"
  done | sort -n | tr '\n' ' '
}
ask() { # on descriptor 3
  printf 'GET / HTTP/1.1\r\nHost: here\r\n\r\n' >&3
  local line
  while read -r -t 20 line <&3 && [[ $line != hello ]]; do :; done
  [[ $line == hello ]]
}
for _ in {1..200}; do
  [[ $(pids | wc -w) -eq 3 ]] && break
  sleep 0.05
done
before=$(pids)
exec 3<>/dev/tcp/127.0.0.1/8080
ask

install /opt/new/nginx /usr/local/sbin/nginx.dpkg-new
mv /usr/local/sbin/nginx.dpkg-new /usr/local/sbin/nginx
mcr status --json >/root/status.json || [[ $? -eq 1 ]]
grep '"can_update": true' /root/status.json
mcr update --pid "$(cat /srv/nginx/nginx.pid)" --report /root/report.json
ask
[[ $(pids) == "$before" ]]
for pid in $before; do
  [[ $(readlink "/proc/$pid/exe") == /usr/local/sbin/nginx ]]
done
mcr status
mcr report /root/report.json -o /root/report.html
