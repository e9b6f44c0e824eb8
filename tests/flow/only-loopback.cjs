// Preloaded into the platforms' own clients: they reach this machine and nothing else. Without it
// they send telemetry and look for updates, and what they do would depend on the network.
'use strict'
const dns = require('node:dns')
const net = require('node:net')

const here = (host) => host === undefined || host === '' || host === '::1' ||
    /^127\.|(^|\.)localhost$/.test(host)

const refusal = (host) =>
    Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}: only this machine may be reached`),
        { code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname: host })

const lookup = dns.lookup
dns.lookup = function (host, options, callback) {
    if (here(host)) return lookup.call(dns, host, options, callback)
    process.nextTick(callback ?? options, refusal(host))
    return {}
}

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
    const first = Array.isArray(args[0]) ? args[0][0] : args[0]
    const host = typeof first === 'object' && first !== null ? first.host : args[1]
    if (typeof host === 'string' && net.isIP(host) && !here(host)) {
        process.nextTick(() => this.destroy(refusal(host)))
        return this
    }
    return connect.apply(this, args)
}
