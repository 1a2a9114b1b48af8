import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { keepFocus } from './lib/focus'
import { takeFragment } from './lib/fragment'

// What signs in must not stay in the address: it goes before anything else happens.
const fragment = takeFragment()
keepFocus()
mount(App, { target: document.getElementById('app')!, props: { fragment } })
