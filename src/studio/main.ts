import { mount } from 'svelte';
import { createServices } from './create-services';
import App from './shell/App.svelte';
import './theme/base.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
export default mount(App, { target, props: { services: createServices() } });
