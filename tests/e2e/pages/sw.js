// The home of a token in a service worker: the package's classic script, whose options stand in this file's own URL.

importScripts('/tokenkeep/isolation/service-worker-script.js')
