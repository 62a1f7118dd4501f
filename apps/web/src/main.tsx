import { render } from 'preact';
import { createTheme } from './page/theme.ts';
import { App } from './views/app.tsx';

const root = document.getElementById('app');
if (root === null) throw new Error('The page has no #app');
const theme = createTheme(localStorage, document.documentElement);
render(<App theme={theme} />, root);
