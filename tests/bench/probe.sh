# shellcheck shell=sh disable=SC2154 # names of lib.sh
# What a probe costs. All probers ask one nginx worker on the loopback for 15 bytes; CPU is the prober's
# own, per 1,000 probes, because it carries over to other machines and the wall time does not. Peers:
# prometheus-blackbox-exporter driven by wrk through /probe, and one `curl --parallel` over a list.

probe_count=10000

# One worker; no TLS session is resumed, so that every new connection is a full handshake.
probe_nginx_start() {
    mkdir -p "$work/nginx"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout "$work/nginx/key.pem" \
        -out "$work/nginx/cert.pem" 2>/dev/null
    probe_http=$(free_port)
    probe_https=$(free_port)
    cat >"$work/nginx/nginx.conf" <<END
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
worker_processes 1;
worker_rlimit_nofile 20000;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 16000; }
http {
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p; fastcgi_temp_path $work/nginx/f;
    uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
    server {
        listen 127.0.0.1:$probe_http backlog=4096;
        listen 127.0.0.1:$probe_https ssl backlog=4096;
        ssl_certificate cert.pem; ssl_certificate_key key.pem;
        ssl_session_cache off; ssl_session_tickets off;
        location = /health { default_type application/json; return 200 '{"status":"ok"}'; }
    }
}
END
    nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" -g 'daemon off;' 2>"$work/nginx/err" &
    probe_nginx=$!
    until curl -fsk -o /dev/null "https://127.0.0.1:$probe_https/health"; do
        kill -0 "$probe_nginx" 2>/dev/null || { say "nginx did not start:" "$(cat "$work/nginx/err")"; return 1; }
        sleep 0.05
    done
}

# free_port: one that nobody listens on now
free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
        console.log(s.address().port); s.close(); })'
}

# probe_ours KIND URL FILE: KIND is new or keep
probe_ours() {
    build/tests/bench/probe_rate "$2" "$1" "$probe_count" 50 "$work/nginx/cert.pem" >>"$3" || did_not_probe
}

did_not_probe() { say "trine's probes did not all succeed"; }

# probe_curl KIND URL FILE
probe_curl() {
    header=''
    [ "$1" = keep ] || header='Connection: close'
    yes "url = \"$2\"
output = \"/dev/null\"" | head -n $((2 * probe_count)) >"$work/urls"
    measured "$work/curl.one" curl -sk --no-sessionid ${header:+-H "$header"} --parallel --parallel-max 50 \
        -K "$work/urls" || { did_not curl && return; }
    tail -n 1 "$work/curl.one" | jq -c --argjson n "$probe_count" \
        '{cpu_s_per_1000: (.cpu_s / $n * 1000), probes_per_s: ($n / .wall_s)}' >>"$3"
}

cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# probe_blackbox URL FILE
probe_blackbox() {
    before=$(cpu_ticks "$probe_exporter")
    wrk -t1 -c16 -d4s "http://127.0.0.1:$probe_port/probe?module=m&target=$1" >"$work/wrk" || return 0
    after=$(cpu_ticks "$probe_exporter")
    n=$(awk '/requests in/ { print $1 }' "$work/wrk")
    jq -cn --argjson n "$n" --argjson ticks $((after - before)) --argjson hz "$(getconf CLK_TCK)" \
        '{cpu_s_per_1000: ($ticks / $hz / $n * 1000), probes_per_s: ($n / 4)}' >>"$2"
}

probe_exporter_start() {
    probe_port=$(free_port)
    printf 'modules:\n  m:\n    prober: http\n    timeout: 5s\n    http:\n      preferred_ip_protocol: ip4\n      tls_config: { insecure_skip_verify: true }\n' \
        >"$work/blackbox.yml"
    prometheus-blackbox-exporter --config.file="$work/blackbox.yml" \
        --web.listen-address="127.0.0.1:$probe_port" --log.level=error >"$work/blackbox.log" 2>&1 &
    probe_exporter=$!
    until curl -fs "http://127.0.0.1:$probe_port/probe?module=m&target=http://127.0.0.1:$probe_http/health" |
        grep -q '^probe_success 1'; do
        kill -0 "$probe_exporter" 2>/dev/null || { say "the exporter did not start"; return 1; }
        sleep 0.1
    done
}

bench_probe() {
    need_packages nginx wrk prometheus-blackbox-exporter openssl
    need_node
    probe_nginx_start && probe_exporter_start
    plain=http://127.0.0.1:$probe_http/health tls=https://127.0.0.1:$probe_https/health
    probe_ours new "$plain" "$work/warm"
    for _ in 1 2 3; do
        for kind in new keep; do
            probe_ours $kind "$plain" "$work/p.$kind.ours"
            probe_curl $kind "$plain" "$work/p.$kind.curl"
        done
        probe_blackbox "$plain" "$work/p.new.blackbox"
        probe_count=3000
        probe_ours new "$tls" "$work/p.tls.ours"
        probe_curl new "$tls" "$work/p.tls.curl"
        probe_count=10000
        probe_blackbox "$tls" "$work/p.tls.blackbox"
    done
    kill "$probe_exporter" "$probe_nginx"
    wait "$probe_exporter" "$probe_nginx" 2>/dev/null || true
    key=cpu_s_per_1000
    row probe-new-cpu 's/1000' "$(median "$work/p.new.ours" $key)" "$(median "$work/p.new.blackbox" $key)" \
        'blackbox_exporter, new connections' 'at least 3 x'
    row probe-new-cpu-curl 's/1000' "$(median "$work/p.new.ours" $key)" "$(median "$work/p.new.curl" $key)" \
        'curl --parallel, new connections' ''
    row probe-kept-cpu 's/1000' "$(median "$work/p.keep.ours" $key)" "$(median "$work/p.keep.curl" $key)" \
        'curl --parallel, kept connections' 'at least 0.77 x'
    row probe-kept-rate probes/s "$(median "$work/p.keep.ours" probes_per_s)" null '' '> 20000'
    row probe-tls-cpu 's/1000' "$(median "$work/p.tls.ours" $key)" "$(median "$work/p.tls.blackbox" $key)" \
        'blackbox_exporter, full handshakes' '< 0.8'
    row probe-tls-cpu-curl 's/1000' "$(median "$work/p.tls.ours" $key)" "$(median "$work/p.tls.curl" $key)" \
        'curl --parallel, full handshakes' ''
}
