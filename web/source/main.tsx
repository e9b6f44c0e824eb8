import { render } from 'preact';
import { App } from './app';
import { run } from './live';
import { apply } from './theme';
import './style.css';

apply();
void run();
render(<App />, document.getElementById('app')!);
