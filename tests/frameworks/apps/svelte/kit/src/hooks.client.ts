import '../../probe.js'
