// What the apps of tests/frameworks, and their tests, keep in the page.

declare var bare: any
declare var binding: any
declare var client: any
declare var copy: any
declare var createTokenManager: any
declare var destroy: any
declare var flushSync: any
declare var get: any
declare var going: any
declare var gone: any
declare var h: any
declare var handled: any
declare var HttpEventType: any
declare var inApp: any
declare var listeners: any
declare var mount: any
declare var mounted: any
declare var Reader: any
declare var stable: any
declare var stays: any
declare var unmount: any
