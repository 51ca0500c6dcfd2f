import { mount } from 'svelte';
import { createServices } from './create-services';
import { createPwa } from './pwa.svelte';
import App from './shell/App.svelte';
import './theme/base.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
const pwa = import.meta.env.PROD ? createPwa(new URL('service-worker.js', document.baseURI).href) : null;
void pwa?.register();
export default mount(App, { target, props: { services: createServices(), pwa } });
