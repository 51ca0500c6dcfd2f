/** Version of the app, from package.json (or the environment in update tests). */
declare const __APP_VERSION__: string;
