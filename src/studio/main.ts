import { mount } from 'svelte';
import { createServices } from './create-services';
import { createPwa } from './pwa.svelte';
import App from './shell/App.svelte';
import './theme/base.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
// Shown nowhere, but told to whoever asks which version is open: people reporting a bug, and the update test.
document.documentElement.dataset['version'] = __APP_VERSION__;
const pwa = import.meta.env.PROD ? createPwa(new URL('service-worker.js', document.baseURI).href) : null;
void pwa?.register();
export default mount(App, { target, props: { services: createServices(), pwa } });
